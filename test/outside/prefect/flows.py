"""Runs flows of Prefect: `everything`, whose tasks reach each state that the engine sets, or `busy`, many of one task."""

import sys
import time
from datetime import timedelta

from prefect import flow, task
from prefect.states import Completed, Failed


@task
def plain(n):
    return n


@task(persist_result=True)
def persisted(n):
    return {"n": n}


@task(cache_key_fn=lambda *_: "orders", cache_expiration=timedelta(hours=1), persist_result=True)
def cached():
    return {"rows": 3}


@task(retries=2, retry_delay_seconds=0.2)
def succeeds_at_last(attempts):
    attempts.append(1)
    if len(attempts) < 3:
        raise ValueError(f"attempt {len(attempts)} fails")


@task(retries=1)
def fails_for_good():
    raise RuntimeError('äöü, 日本語, 👋, "quoted"\nand a second line')


@task(timeout_seconds=0.2)
def takes_too_long():
    for _ in range(20):
        time.sleep(0.1)


@task
def named():
    return Completed(name="Nothing to do", message="There were no orders")


@task
def named_failure():
    return Failed(name="Data is missing", message="There was no file")


@task
def crashes():
    raise SystemExit(3)


@flow
def part():
    plain(0)


@flow
def everything():
    cached()
    cached()
    plain.map(range(60))
    persisted.map(range(20))  # After a first persisted result: at once they race for the storage, in Prefect 2.
    for unlucky in (fails_for_good, takes_too_long, named, named_failure):
        unlucky(return_state=True)
    succeeds_at_last([])
    part()
    return "done"


@flow
def crash():
    crashes()


@flow
def busy():
    plain.map(range(40))
    return "done"


if sys.argv[1] == "busy":
    busy()
else:
    everything()
    try:
        crash()
    except SystemExit:
        pass
