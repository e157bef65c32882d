import { Client, Pool } from "@neondatabase/serverless";
import { withPreparedStatements } from "typeorm-task-run-state";

class PreparingPool extends Pool {
  Client = withPreparedStatements(Client); // Neon's Pool does not read `extra.Client`.
}

/** The `driver` of a data source. */
export const driver = { Pool: PreparingPool };
