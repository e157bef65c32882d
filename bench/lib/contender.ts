/** A row of the table as every contender returns it: an entity, or an object with the same values. */
export interface State {
  id: string;
  created: Date;
  updated: Date;
  type: string;
  timestamp: Date;
  name: string;
  message: string | null;
  stateDetails: object;
  data: unknown;
  taskRunId: string;
  resultArtifactId: string | null;
}

/** A state to record: the id comes from the client (UUIDv7), the three times from the database. */
export type NewState = Omit<State, "id" | "created" | "updated" | "timestamp">;

/** The calls that are measured. Each contender makes them as its documentation shows, on its own pool. */
export interface Session {
  read(id: string): Promise<State | null>;
  /** In the order of `timestamp`, then `id`. */
  list(taskRunId: string): Promise<State[]>;
  /** Tells whether there was a row. */
  delete(id: string): Promise<boolean>;
  /** Returns the row as it was stored. */
  record(state: NewState): Promise<State>;
  /** Returns the rows as they were stored, in any order. */
  recordAll(states: NewState[]): Promise<State[]>;
  /** The latest state of each task run, in any order. Only those contenders have it that are compared by it. */
  latest?(taskRunIds: string[]): Promise<State[]>;
}

export interface Contender {
  name: string;
  /** The package whose version is shown: one from this `package.json` or from the root's. */
  library: string;
  /** Loads the library and connects. An exit of the process ends the connections. */
  open(url: string): Promise<Session>;
}

export const POOL_SIZE = 8;

/** Connections stay open between the rounds. */
export function poolOptions(url: string) {
  return { connectionString: url, max: POOL_SIZE, idleTimeoutMillis: 0 };
}
