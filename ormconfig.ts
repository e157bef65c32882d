import { DataSource } from "typeorm";

import { cannotConnect } from "./scripts/cannot-connect";
import { LOCAL_PORT } from "./scripts/local-port";
import { migrations, TaskRunState } from "./src";

/** Says what to do when PostgreSQL cannot be reached, where TypeORM's CLI would print a stack trace. */
class CommandLineDataSource extends DataSource {
  override async initialize(): Promise<this> {
    try {
      return await super.initialize();
    } catch (error) {
      const advice = process.env.DATABASE_URL
        ? 'check DATABASE_URL, or unset it and run "npm run db" in another terminal.'
        : 'run "npm run db" in another terminal, or set DATABASE_URL.';
      console.error(cannotConnect(error, advice));
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
