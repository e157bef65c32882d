"""Lets the consumer of Prefect's TaskRunRecorder record states of task runs, as Prefect's engine sends them."""

import asyncio
import logging

from prefect.server.database.dependencies import provide_database_interface
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.services.task_run_recorder import consumer, logger
from prefect.server.utilities.messaging.memory import MemoryMessage
from sqlalchemy import func, select


class Drops(logging.Handler):
    """Keeps what the consumer says when it drops an event."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        if record.getMessage().startswith("Dropping event"):
            self.messages.append(record.getMessage())


def event_of(state):
    return ReceivedEvent(
        id=state["id"],
        occurred=state["timestamp"],
        event=f"prefect.task-run.{state['name']}",
        resource={
            "prefect.resource.id": f"prefect.task-run.{state['task_run_id']}",
            "prefect.orchestration": "client",
        },
        payload={
            "validated_state": {"type": state["type"], "name": state["name"]},
            "task_run": {"task_key": "recorded", "dynamic_key": state["task_run_id"], "name": "recorded"},
        },
    )


async def main(batch_size, states):
    """Returns the words with which the consumer drops events, once it has recorded or dropped each."""
    db = provide_database_interface()
    drops = Drops()
    logger.addHandler(drops)
    logger.setLevel(logging.ERROR)

    async def recorded():
        ids = [state["id"] for state in states]
        async with db.session_context() as session:
            count = select(func.count()).select_from(db.TaskRunState).where(db.TaskRunState.id.in_(ids))
            return (await session.execute(count)).scalar_one()

    try:
        async with consumer(write_batch_size=batch_size, flush_every=0.05) as handle, asyncio.timeout(60):
            for state in states:
                data = event_of(state).model_dump_json()
                try:
                    await handle(MemoryMessage(data=data, attributes={}))
                except Exception:
                    pass  # It has logged what it drops.
            while await recorded() + len(drops.messages) < len(states):
                await asyncio.sleep(0.05)
    finally:
        logger.removeHandler(drops)
    return drops.messages
