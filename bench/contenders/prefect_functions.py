"""Calls the functions of prefect.server.models.task_run_states as Prefect's routes do, each with a session of its own.

Does what lib/worker.ts asks for, over the channel that Node.js gives to its children: one JSON object a line.
"""

import asyncio
import json
import os
import resource
import socket
import time
from datetime import datetime, timedelta, timezone
from uuid import UUID

from prefect.server.database.dependencies import provide_database_interface
from prefect.server.models.task_run_states import read_task_run_state, read_task_run_states

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


async def main():
    db = provide_database_interface()
    channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"])).makefile("rw", encoding="utf-8")

    def respond(answer):
        channel.write(json.dumps({"answer": answer}) + "\n")
        channel.flush()

    async def read(id):
        async with db.session_context() as session:
            return await read_task_run_state(session, UUID(id))

    async def list_(id):
        async with db.session_context() as session:
            return await read_task_run_states(session, UUID(id))

    methods = {"read": read, "list": list_}
    respond(list(methods))
    for line in channel:
        request = json.loads(line)
        call = methods[request["method"]]
        respond(plain(await call(request["input"])) if request["kind"] == "call" else await measure(call, request))


async def measure(call, request):
    """As lib/measure.ts does."""
    queue = iter(request["inputs"])
    calls = states = 0
    cpu = time.process_time()
    start = time.perf_counter()

    async def caller():
        nonlocal calls, states
        for input in queue:
            calls += 1
            answer = await call(input)
            states += len(answer) if isinstance(answer, list) else answer is not None
            if time.perf_counter() - start > request["milliseconds"] / 1000:
                return

    await asyncio.gather(*(caller() for _ in range(request["callers"])))
    elapsed = time.perf_counter() - start
    return {
        "throughput": calls / elapsed,
        "cpu": (time.process_time() - cpu) * 1e6 / calls,
        "calls": calls,
        "states": states,
        "peakMemory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def plain(answer):
    if answer is None:
        return None
    if isinstance(answer, list):
        return [plain(state) for state in answer]
    return {
        "id": str(answer.id),
        "created": milliseconds(answer.created),
        "updated": milliseconds(answer.updated),
        "type": answer.type,
        "timestamp": milliseconds(answer.timestamp),
        "name": answer.name,
        "message": answer.message,
        "stateDetails": answer.state_details.model_dump(mode="json"),
        "data": answer.data,
        "taskRunId": str(answer.task_run_id),
        "resultArtifactId": answer.result_artifact_id and str(answer.result_artifact_id),
    }


def milliseconds(time):
    return (time - EPOCH) // timedelta(milliseconds=1)


asyncio.run(main())
