/** What a test knows of a recorded state: its fields as they must come back. */
export type Row = { id: string; taskRunId: string; timestamp: Date } & Record<string, unknown>;

/** The rows that a transaction or savepoint has added, and under null the ids that it has deleted. */
type Changes = Map<string, Row | null>;

/**
 * The table `task_run_state` in memory, with callers that each may have a transaction open, at READ COMMITTED:
 * a caller sees what is committed and its own changes.
 */
export class HistoryModel {
  /** Of all states ever recorded, also of those rolled back or deleted since. */
  readonly ids: string[] = [];
  private readonly committed: Changes = new Map();
  /** For each caller its transaction, within it the savepoints, the innermost last. */
  private readonly open: Changes[][];

  constructor(callers: number) {
    this.open = Array.from({ length: callers }, () => []);
  }

  /** Opens a transaction, or a savepoint in the open one. */
  begin(caller: number): void {
    this.layers(caller).push(new Map());
  }

  commit(caller: number): void {
    for (const [id, row] of this.layers(caller).pop() ?? []) this.change(caller, id, row);
  }

  rollback(caller: number): void {
    this.layers(caller).pop();
  }

  depth(caller: number): number {
    return this.layers(caller).length;
  }

  record(caller: number, row: Row): void {
    this.ids.push(row.id);
    this.change(caller, row.id, row);
  }

  delete(caller: number, id: string): boolean {
    const found = this.read(caller, id) !== null;
    if (found) this.change(caller, id, null);
    return found;
  }

  /** Whether a delete by this caller would wait for the end of another caller's transaction. */
  isLocked(caller: number, id: string): boolean {
    return this.open.some(
      (layers, other) => other !== caller && layers.some((rows) => rows.get(id) === null),
    );
  }

  read(caller: number, id: string): Row | null {
    return this.visible(caller).get(id) ?? null;
  }

  list(caller: number, taskRunId: string): Row[] {
    return [...this.visible(caller).values()]
      .filter((row) => row !== null)
      .filter((row) => row.taskRunId === taskRunId)
      .sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime() || (a.id < b.id ? -1 : 1));
  }

  private visible(caller: number): Changes {
    return new Map([this.committed, ...this.layers(caller)].flatMap((rows) => [...rows]));
  }

  private change(caller: number, id: string, row: Row | null): void {
    (this.layers(caller).at(-1) ?? this.committed).set(id, row);
  }

  private layers(caller: number): Changes[] {
    const layers = this.open[caller];
    if (!layers) throw new RangeError(`There is no caller ${caller}.`);
    return layers;
  }
}
