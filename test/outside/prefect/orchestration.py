"""Sets the states of a task run as the tests of Prefect's models do, and returns the run's id and the states as JSON."""

import json
import uuid

from prefect.server import models, schemas
from prefect.server.database.dependencies import provide_database_interface
from prefect.server.schemas.states import Completed, Pending, Running


def as_json(state):
    return json.loads(state.model_dump_json() if hasattr(state, "model_dump_json") else state.json())


async def main():
    db = provide_database_interface()
    async with db.session_context(begin_transaction=True) as session:
        flow = await models.flows.create_flow(session, schemas.core.Flow(name=f"flow {uuid.uuid4()}"))
        flow_run = await models.flow_runs.create_flow_run(session, schemas.core.FlowRun(flow_id=flow.id))
        task_run = await models.task_runs.create_task_run(
            session, schemas.core.TaskRun(flow_run_id=flow_run.id, task_key="a task", dynamic_key="0")
        )
        run_id = task_run.id
    states = []
    for state in (Pending(), Running(message="under way"), Completed(data={"answer": 42})):
        async with db.session_context(begin_transaction=True) as session:
            result = await models.task_runs.set_task_run_state(session, run_id, state=state)
            states.append(as_json(result.state))
    return {"task_run_id": str(run_id), "states": states}
