"""Does what Prefect's database vacuum does with old flow runs, and says what it does unless it is told to."""

from prefect.server.database.dependencies import provide_database_interface
from prefect.server.services.db_vacuum import vacuum_old_flow_runs
from prefect.settings.context import get_current_settings


async def main():
    settings = get_current_settings().server.services.db_vacuum
    await vacuum_old_flow_runs(db=provide_database_interface())
    return {"enabled": sorted(settings.enabled_vacuum_types), "days": settings.retention_period.days}
