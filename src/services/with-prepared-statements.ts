import { nameOf } from "./statements";

/** A `Client` class of `pg`, or of `pg.native`. */
type ClientClass = new (...args: never[]) => { query: (...args: never[]) => unknown };
type AnyClient = new (...args: unknown[]) => { query(...args: unknown[]): unknown };

/**
 * What PostgreSQL answers when it refuses a prepared statement before it runs it: the statement is unknown (after DISCARD
 * ALL, or behind a pooler that changes servers), its name is taken (behind such a pooler), or it would return other types
 * than when it was prepared (after ALTER TABLE).
 */
const REFUSALS: unknown[] = ["26000", "42P05", "0A000"];

/**
 * Makes a `Client` class that prepares the three statements of `TaskRunStateService` once on each connection, and no other
 * statement, so that PostgreSQL need not parse and plan them on every call. Give it the `Client` of your own `pg`.
 *
 * Where PostgreSQL refuses a prepared statement, the connection goes on without, and the call is sent again. Inside a
 * transaction, which the refusal has aborted, the call fails with the refusal.
 *
 * @example
 * import { Client } from "pg";
 * new DataSource({ ...options, extra: { Client: withPreparedStatements(Client) } });
 */
export function withPreparedStatements<C extends ClientClass>(Client: C): C {
  class PreparingClient extends (Client as unknown as AnyClient) {
    private prepares = true;

    override query(...args: unknown[]): unknown {
      const [text, values] = args;
      const name = this.prepares ? nameOf(values) : undefined;
      return name === undefined ? super.query(...args) : this.queryByName(name, text, values);
    }

    private async queryByName(name: string, text: unknown, values: unknown): Promise<unknown> {
      try {
        return await super.query({ name, text, values });
      } catch (refusal) {
        if (!REFUSALS.includes(codeOf(refusal))) throw refusal;
        this.prepares = false;
        try {
          return await super.query(text, values);
        } catch (error) {
          throw codeOf(error) === "25P02" ? refusal : error; // that of a transaction that has failed
        }
      }
    }
  }
  return PreparingClient as unknown as C;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
