import { nameOf } from "./statements";

/** A `Client` class of `pg`, or of `pg.native`. */
type ClientClass = new (...args: never[]) => { query: (...args: never[]) => unknown };
interface AnyClient {
  query(...args: unknown[]): unknown;
  getTransactionStatus?(): unknown;
}

/**
 * What PostgreSQL answers when it refuses a prepared statement before it runs it: the statement is unknown (after DISCARD
 * ALL, or behind a pooler that changes servers), its name is taken (behind such a pooler), or it would return other types
 * than when it was prepared (after ALTER TABLE). A statement that fails with the same code while it runs, as a trigger can
 * make it, is undone, and so may be sent again too.
 */
const REFUSALS: unknown[] = ["26000", "42P05", "0A000"];
/** What `getTransactionStatus` says outside of a transaction. */
const IDLE = "I";

/**
 * Makes a `Client` class that prepares the three statements of `TaskRunStateService` once on each connection, and no other
 * statement, so that PostgreSQL need not parse and plan them on every call. Give it the `Client` of your own `pg`.
 *
 * Where PostgreSQL refuses a prepared statement, the connection goes on without, and the call is sent again. The call fails
 * with the refusal inside a transaction, which the refusal has aborted, and with `pg` before 8.21, which does not tell
 * whether there is one.
 *
 * @example
 * import { Client } from "pg";
 * new DataSource({ ...options, extra: { Client: withPreparedStatements(Client) } });
 */
export function withPreparedStatements<C extends ClientClass>(Client: C): C {
  class PreparingClient extends (Client as unknown as new (...args: unknown[]) => AnyClient) {
    private prepares = true;

    override query(...args: unknown[]): unknown {
      const [text, values] = args;
      const name = this.prepares && args.length === 2 ? nameOf(values) : undefined;
      return name === undefined ? super.query(...args) : this.queryByName(name, text, values);
    }

    private async queryByName(name: string, text: unknown, values: unknown): Promise<unknown> {
      try {
        return await super.query({ name, text, values });
      } catch (error) {
        if (!REFUSALS.includes(codeOf(error))) throw error;
        this.prepares = false;
        // In a transaction the caller's ROLLBACK may be on its way: what is sent behind it would stay.
        if (this.getTransactionStatus?.() !== IDLE) throw error;
        return super.query(text, values);
      }
    }
  }
  return PreparingClient as unknown as C;
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
