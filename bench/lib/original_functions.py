"""Calls the functions of prefect.server.models.task_run_states as Prefect's routes do, each with a session of its own.

Reads requests from standard input, one JSON object a line: {"name": "read" or "list", "ids": [...], "callers": 16}.
Answers each with {"throughput": calls a second, "found": the ids that the last call gave}.
"""

import asyncio
import json
import sys
import time
from uuid import UUID

from prefect.server.database.dependencies import provide_database_interface
from prefect.server.models.task_run_states import read_task_run_state, read_task_run_states


async def main():
    db = provide_database_interface()

    async def read(id):
        async with db.session_context() as session:
            return [await read_task_run_state(session, id)]

    async def list_(id):
        async with db.session_context() as session:
            return await read_task_run_states(session, id)

    for line in sys.stdin:
        request = json.loads(line)
        call = {"read": read, "list": list_}[request["name"]]
        ids = iter([UUID(id) for id in request["ids"]])
        found = []

        async def caller():
            nonlocal found
            for id in ids:
                found = await call(id)

        start = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(request["callers"])))
        elapsed = time.perf_counter() - start
        answer = {"throughput": len(request["ids"]) / elapsed, "found": [str(state.id) for state in found]}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
