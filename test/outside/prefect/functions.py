"""Reads each state and each list by the functions of prefect.server.models.task_run_states, and returns them as JSON."""

import json

from prefect.server.database.dependencies import provide_database_interface
from prefect.server.models.task_run_states import read_task_run_state, read_task_run_states
from prefect.server.schemas.states import StateDetails
from sqlalchemy import select


def details(value):
    return json.loads(value.model_dump_json() if hasattr(value, "model_dump_json") else value.json())


def as_json(state):
    return {
        "id": str(state.id),
        "created": state.created.isoformat(),
        "updated": state.updated.isoformat(),
        "type": state.type.value,
        "timestamp": state.timestamp.isoformat(),
        "name": state.name,
        "message": state.message,
        "state_details": details(state.state_details),
        "data": state.data,
        "task_run_id": str(state.task_run_id),
        "result_artifact_id": state.result_artifact_id and str(state.result_artifact_id),
    }


async def main():
    db = provide_database_interface()
    async with db.session_context() as session:
        rows = (await session.execute(select(db.TaskRunState.id, db.TaskRunState.task_run_id))).all()
    states, lists = {}, {}
    for id, _ in rows:
        async with db.session_context() as session:
            states[str(id)] = as_json(await read_task_run_state(session, id))
    for run in {run for _, run in rows}:
        async with db.session_context() as session:
            lists[str(run)] = [as_json(state) for state in await read_task_run_states(session, run)]
    return {"states": states, "lists": lists, "default_details": details(StateDetails())}
