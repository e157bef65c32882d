import { AbstractLogger } from "typeorm";

/** A logger that keeps the latest query. */
export class LatestQuery extends AbstractLogger {
  sql = "";
  parameters: unknown[] = [];

  override logQuery(sql: string, parameters: unknown[] = []): void {
    this.sql = sql;
    this.parameters = parameters;
  }
  protected writeLog(): void {}
}
