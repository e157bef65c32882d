import type { DataSource } from "typeorm";

import { cannotConnect } from "../../scripts/cannot-connect";
import { createDataSource } from "./data-source";

const ADVICE =
  "set it to the PostgreSQL database of a Prefect server, which PREFECT_API_DATABASE_CONNECTION_URL names there.";

/** Connects to the database that DATABASE_URL names; says what is wrong when that is no database of Prefect's. */
export async function connect(): Promise<DataSource> {
  const { DATABASE_URL: url } = process.env;
  if (!url) return refuse(`DATABASE_URL is missing: ${ADVICE}`);
  const dataSource = createDataSource(url);
  try {
    await dataSource.initialize();
  } catch (error) {
    return refuse(cannotConnect(error, `check DATABASE_URL, or ${ADVICE}`));
  }
  const missing: { name: string }[] = await dataSource.query(
    `SELECT name FROM unnest(ARRAY['alembic_version', 'task_run', 'task_run_state', 'artifact']) name
     WHERE to_regclass(name) IS NULL`,
  );
  if (missing.length > 0) {
    await dataSource.destroy();
    const tables = missing.map(({ name }) => name).join(", ");
    return refuse(`DATABASE_URL names a database without Prefect's tables (${tables}): ${ADVICE}`);
  }
  return dataSource;
}

function refuse(reason: string): never {
  console.error(reason);
  process.exit(1);
}
