import type { DataSource, EntityManager } from "typeorm";

import { shuffled } from "./lists";
import { progress, roundName } from "./progress";
import { quotients, spreadOf } from "./statistics";
import { asTable, grouped } from "./text";

export const METHODS = ["reads by id", "lists", "deletes"] as const;
export type Method = (typeof METHODS)[number];

/** One way to lay the table out. It brings a call of each method, which takes other rows each time. */
export interface Layout {
  name: string;
  calls: Record<Method, () => Promise<unknown>>;
}

export interface LayoutFigures {
  name: string;
  methods: Record<Method, { callsASecond: number; againstFirst: number }>;
}

/** The service, of the compiled package or of its sources. */
interface Service {
  readTaskRunState(manager: EntityManager, id: string): Promise<unknown>;
  readTaskRunStates(manager: EntityManager, taskRunId: string): Promise<unknown[]>;
  deleteTaskRunState(manager: EntityManager, id: string): Promise<boolean>;
}

/** Reads and lists take any task run of two thirds, and deletes the states of the others. A wrong answer fails. */
export async function layoutOf(name: string, { manager }: DataSource, service: Service): Promise<Layout> {
  const states: { id: string; taskRunId: string }[] = await manager.query(
    'SELECT id, task_run_id AS "taskRunId" FROM task_run_state',
  );
  const runs = shuffled([...new Set(states.map(({ taskRunId }) => taskRunId))]);
  const going = new Set(runs.slice(0, runs.length / 3));
  const deleted = shuffled(states.filter(({ taskRunId }) => going.has(taskRunId)));
  const kept = states.filter(({ taskRunId }) => !going.has(taskRunId));
  const answered = async (answer: Promise<unknown>) => {
    if (!(await answer)) throw new Error(`${name}: a state is missing.`);
  };
  const any = () => kept[Math.floor(Math.random() * kept.length)] ?? { id: "", taskRunId: "" };
  return {
    name,
    calls: {
      "reads by id": () => answered(service.readTaskRunState(manager, any().id)),
      lists: () =>
        answered(service.readTaskRunStates(manager, any().taskRunId).then(({ length }) => length > 0)),
      deletes: () => answered(service.deleteTaskRunState(manager, deleted.pop()?.id ?? "")),
    },
  };
}

/** Makes as many calls as a round takes, or as fit into its time. */
export interface Effort {
  rounds: number;
  calls: number;
  milliseconds: number;
}

const CALLERS = 16;

/** Measures each method in each layout, in shuffled order in each round. All layouts are compared with the first one. */
export async function measureLayouts(layouts: Layout[], effort: Effort): Promise<LayoutFigures[]> {
  const measured = layouts.map((layout) => ({
    ...layout,
    figures: { "reads by id": [], lists: [], deletes: [] } as Record<Method, number[]>,
  }));
  for (let round = -1; round < effort.rounds; round++) {
    progress(roundName(round, effort.rounds));
    for (const { calls, figures } of shuffled(measured)) {
      for (const method of METHODS) {
        const figure = await callsASecond(calls[method], effort);
        if (round >= 0) figures[method].push(figure);
      }
    }
  }
  progress("");
  const [first] = measured;
  return measured.map(({ name, figures }) => {
    const figuresOf = (method: Method) => ({
      callsASecond: spreadOf(figures[method]).median,
      againstFirst: spreadOf(quotients(figures[method], first?.figures[method] ?? [])).median,
    });
    return {
      name,
      methods: {
        "reads by id": figuresOf("reads by id"),
        lists: figuresOf("lists"),
        deletes: figuresOf("deletes"),
      },
    };
  });
}

async function callsASecond(call: () => Promise<unknown>, { calls, milliseconds }: Effort): Promise<number> {
  let made = 0;
  const start = performance.now();
  const caller = async () => {
    while (made < calls && performance.now() - start < milliseconds) {
      made++;
      await call();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return (made / (performance.now() - start)) * 1000;
}

/** Calls a second; in brackets the same as a multiple of the first layout's, in the same round. */
export function layoutsAsText(layouts: LayoutFigures[]): string {
  return asTable([
    ["", ...METHODS],
    ...layouts.map(({ name, methods }) => [
      name,
      ...METHODS.map((method) => {
        const { callsASecond, againstFirst } = methods[method];
        return `${grouped(callsASecond)} (${againstFirst.toFixed(2)})`;
      }),
    ]),
  ]);
}
