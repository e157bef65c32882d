import { type Types, withFasterTimes } from "./parse-time";
import { isCall, type PreparedForm, preparedFormOf } from "./statements";

/** A `Client` class of `pg`, or of `pg.native`. */
type ClientClass = new (...args: never[]) => { query: (...args: never[]) => unknown };
type Callback = (error: unknown, result?: unknown) => void;
interface AnyClient extends Types {
  query(...args: unknown[]): unknown;
  getTransactionStatus?(): unknown;
  /** The class of its promises, which a host can set as the client's option `Promise`. */
  _Promise?: PromiseConstructor;
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
 * Makes a `Client` class that prepares this module's statements, but for those of retention, once on each connection, so
 * that PostgreSQL need not parse and plan them on every call. It also saves the driver work: it reads this module's rows
 * by position, and sends each query, also the host's own, without the garbage that the driver's promise makes. Give it the
 * `Client` of your own `pg`.
 *
 * Where PostgreSQL refuses a prepared statement, the connection continues without, and the call is sent again. The call fails
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
    /** How many queries it has sent that are none of this module's. */
    private others = 0;
    private readonly types = withFasterTimes(this);
    /** What it gives the driver for this module's calls, by their text. */
    private readonly configurations = new Map<string, object>();

    override query(...args: unknown[]): unknown {
      const [text, values, callback] = args;
      if (typeof text !== "string" || typeof values === "function" || callback) {
        this.others++;
        return super.query(...args);
      }
      // A callback that is passed in keeps nothing alive; the one that the driver makes refers to the query.
      const answer = new (this._Promise ?? Promise)((resolve, reject) => {
        this.send(text, values, (error, result) => (error ? reject(error) : resolve(result)));
      });
      return answer.catch((error) => {
        Error.captureStackTrace(error); // leads to the caller, as the driver's own does
        throw error;
      });
    }

    private send(text: string, values: unknown, answer: Callback): void {
      const prepared = preparedFormOf(text);
      if (prepared === undefined) {
        this.others++;
        this.sendTo(answer, text, values);
        return;
      }
      if (!this.prepares) {
        this.sendTo(answer, this.configurationOf(text, { text }, values), values);
        return;
      }
      const { others } = this;
      const answerUnlessRefused: Callback = (error, result) => {
        if (!error || !REFUSALS.includes(codeOf(error))) return answer(error, result);
        this.prepares = false;
        this.configurations.clear();
        // In a transaction, or with its end or another's BEGIN on the way, what is sent now would land elsewhere, and stay.
        if (this.getTransactionStatus?.() !== IDLE || this.others > others) return answer(error);
        this.sendTo(answer, this.configurationOf(text, { text }, values), values);
      };
      this.sendTo(answerUnlessRefused, this.configurationOf(text, prepared, values), values);
    }

    /**
     * What a query gives the driver, which copies each own property on every query, and slowly: so others are inherited. A
     * tracing library that copies it too keeps the text, and with that alone the call works as well.
     */
    private configurationOf(sent: string, query: Partial<PreparedForm>, values: unknown): object {
      // A host that sends the same SQL gets rows by name. The copy is for older drivers, which write into what they get.
      if (!isCall(values)) return { ...query };
      return this.configurations.get(sent) ?? this.configure(sent, query);
    }

    private configure(sent: string, { name, text }: Partial<PreparedForm>): object {
      const inherited: object = Object.create({ name, rowMode: "array", types: this.types });
      const configuration = Object.assign(inherited, { text });
      this.configurations.set(sent, configuration);
      return configuration;
    }

    /** Sends in the callback form. A class of a host's own may know no callbacks, and answer by its promise alone. */
    private sendTo(answer: Callback, query: unknown, values: unknown): void {
      const promise = super.query(query, values, answer);
      if (promise instanceof Promise) promise.then((result) => result && answer(undefined, result), answer);
    }
  }
  return PreparingClient as unknown as C;
}

/** In a pipeline, `pg.native` calls it by libpq's name. */
function codeOf(error: unknown): unknown {
  const { code, sqlState } = error as { code?: unknown; sqlState?: unknown };
  return code ?? sqlState;
}
