"""Calls scripts of this folder, one after another, in a process that has loaded Prefect once.

Reads requests from standard input, one JSON object a line: {"script": "functions", "args": []}. Answers each with what
the script's `main` returns: {"result": ...}, or {"error": the traceback}.
"""

import asyncio
import importlib
import json
import sys
import traceback

import prefect.server.models  # noqa: F401  While nobody waits for it.


async def main():
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        try:
            script = importlib.import_module(request["script"])
            answer = {"result": await script.main(*request["args"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


asyncio.run(main())
