"""Lists the states of task runs by Prefect's own client, from two servers."""

import json

from prefect.client.orchestration import PrefectClient


def as_json(state):
    return json.loads(state.model_dump_json() if hasattr(state, "model_dump_json") else state.json())


async def main(url, other_url, *runs):
    servers = []
    for server in (url, other_url):
        async with PrefectClient(server) as client:
            servers.append([await client.read_task_run_states(run) for run in runs])
    equal = [states == other_states for states, other_states in zip(*servers)]
    return {"servers": [[list(map(as_json, states)) for states in server] for server in servers], "equal": equal}
