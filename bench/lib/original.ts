import type { Client } from "pg";

import { PREFECT_TABLE } from "../../dev/prefect/table";

/** Prefect's own table, in a schema of its own. */
export async function createOriginal(client: Client, schema: string): Promise<void> {
  await client.query(`
    BEGIN;
    CREATE SCHEMA ${schema};
    SET LOCAL search_path TO ${schema};
    ${PREFECT_TABLE}
    COMMIT;`);
}
