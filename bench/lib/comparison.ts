import type { Client } from "pg";

import { cycle, shuffled } from "./lists";
import type { Measurement } from "./measure";
import { isWrite, type Operation, tidy } from "./operations";
import { type Effort, inRounds } from "./rounds";
import { quotients, type Spread, spreadOf } from "./statistics";
import { asTable } from "./text";
import type { Worker } from "./worker";

/** A contender on the table of a schema. */
export interface Participant {
  name: string;
  worker: Worker;
  schema: string;
  operations: Operation[];
}

/** A participant's figures for an operation. */
export interface Result {
  participant: string;
  operation: string;
  /** Calls a second. */
  throughput: Spread;
  /** Throughput divided by each participant's in the same round: what slows the machine down slows both. */
  against: Record<string, Spread>;
  /** CPU time of the participant's process for a call, in microseconds. */
  cpu: Spread;
}

/** Each turn makes calls for so many milliseconds. */
export interface TimedEffort extends Effort {
  milliseconds: number;
}

interface Turn {
  participant: Participant;
  operation: Operation;
  /** How many calls it can make in its time, and some more. */
  calls: number;
}

const LEAST_CALLS = 64;

export async function compare(
  what: string,
  client: Client,
  participants: Participant[],
  { milliseconds, ...effort }: TimedEffort,
): Promise<Result[]> {
  const turns = participants.flatMap((participant) =>
    participant.operations
      .filter(({ method }) => participant.worker.methods.includes(method))
      .map((operation): Turn => ({ participant, operation, calls: LEAST_CALLS })),
  );
  const names = new Set(turns.map(({ operation }) => operation.name));
  const groups = [...names].map((name) => turns.filter(({ operation }) => operation.name === name));
  const measured = await inRounds(what, effort, groups, async (turn) => {
    const measurement = await take(turn, milliseconds);
    if (isWrite(turn.operation)) await tidy(client, turn.participant.schema);
    return measurement;
  });
  const figures = (turn: Turn, figure: "throughput" | "cpu") =>
    (measured.get(turn) ?? []).map((measurement) => measurement[figure]);
  return groups.flatMap((group) =>
    group.map((turn) => {
      const throughputs = figures(turn, "throughput");
      const against = group.map((other) => {
        const quotient = spreadOf(quotients(throughputs, figures(other, "throughput")));
        return [other.participant.name, quotient] as const;
      });
      return {
        participant: turn.participant.name,
        operation: turn.operation.name,
        throughput: spreadOf(throughputs),
        against: Object.fromEntries(against),
        cpu: spreadOf(figures(turn, "cpu")),
      };
    }),
  );
}

async function take(turn: Turn, milliseconds: number): Promise<Measurement> {
  const { participant, operation } = turn;
  const { method, inputs, callers, states } = operation;
  const taken = shuffled(inputs);
  const measurement = await participant.worker.measure({
    method,
    inputs: method === "delete" ? taken.slice(0, turn.calls) : cycle(taken, turn.calls),
    callers,
    milliseconds,
  });
  if (measurement.states !== measurement.calls * states) {
    const { calls, states } = measurement;
    throw new Error(`${participant.name}: ${calls} calls of ${operation.name} gave ${states} states`);
  }
  turn.calls = Math.max(turn.calls, Math.ceil((1.5 * measurement.throughput * milliseconds) / 1000));
  return measurement;
}

/** A line for each of the participants, and a column for each operation. */
export function comparisonTable(
  results: Result[],
  cell: (result: Result) => string,
  participants = [...new Set(results.map(({ participant }) => participant))],
): string {
  const operations = [...new Set(results.map(({ operation }) => operation))];
  const cellOf = (participant: string, operation: string) => {
    const result = results.find((each) => each.participant === participant && each.operation === operation);
    return result ? cell(result) : "";
  };
  return asTable([
    ["", ...operations],
    ...participants.map((participant) => [
      participant,
      ...operations.map((operation) => cellOf(participant, operation)),
    ]),
  ]);
}
