import { DataSource } from "typeorm";

import { migrations, TaskRunState } from "./src";

/** Where `npm run db` listens, and where the command line looks for a server when DATABASE_URL is not set. */
export const LOCAL_PORT = 54330;

/** Says what to do when PostgreSQL cannot be reached, where TypeORM's CLI would print a stack trace. */
class CommandLineDataSource extends DataSource {
  override async initialize(): Promise<this> {
    try {
      return await super.initialize();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = message || code; // When several addresses refused, Node.js gives no message.
      console.error(
        process.env.DATABASE_URL
          ? `Cannot connect to PostgreSQL (${reason}): check DATABASE_URL, or unset it and run "npm run db" in another terminal.`
          : `Cannot connect to PostgreSQL (${reason}): run "npm run db" in another terminal, or set DATABASE_URL.`,
      );
      process.exit(1);
    }
  }
}

/** The data source of TypeORM's command line: `npm run typeorm -- migration:run` and its like. */
export default new CommandLineDataSource({
  type: "postgres",
  url: process.env.DATABASE_URL || `postgres://postgres@127.0.0.1:${LOCAL_PORT}/postgres`,
  entities: [TaskRunState],
  migrations,
});
