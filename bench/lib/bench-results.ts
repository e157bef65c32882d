import { comparisonTable, type Result } from "./comparison";
import { type Machine, machineAsText } from "./machine";
import type { Memory } from "./memory";
import { asTable, grouped, spread } from "./text";

/** What `--json` prints. */
export interface BenchResults {
  machine: Machine;
  callers: number;
  bulkCallers: number;
  pool: number;
  rounds: number;
  /** Of each contender. */
  versions: Record<string, string>;
  calls: Result[];
  /** With a partition for each week. */
  layouts: Result[];
  /** Empty where no cluster was named. */
  citus: Result[];
  memory: Memory;
}

export const REFERENCE = "pg by hand";

/** A result as it stands in a table. */
type Cell = (result: Result) => string;

const callsASecond: Cell = ({ throughput }) => grouped(throughput.median);

const against =
  (reference: string): Cell =>
  ({ against: { [reference]: quotient } }) =>
    quotient ? quotient.median.toFixed(2) : "";

const middleHalfAgainst =
  (reference: string): Cell =>
  ({ against: { [reference]: quotient } }) =>
    quotient ? spread(quotient, 2) : "";

const both =
  (first: Cell, second: Cell): Cell =>
  (result) =>
    `${first(result)} (${second(result)})`;

const cpu: Cell = ({ cpu }) => grouped(cpu.median);

export function asText(results: BenchResults): string {
  const { machine, callers, bulkCallers, pool, rounds, versions, calls, layouts, citus, memory } = results;
  const contenders = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const layoutTable = (title: string, layouts: Result[]) => {
    const cell = both(callsASecond, against(layouts[0]?.participant ?? ""));
    return `${title}: calls a second of this module; in brackets as a multiple of the first line's

${comparisonTable(layouts, cell)}`;
  };
  return [
    `${machineAsText(machine)}
${contenders.join("; ")}
Each contender in a process of its own, with ${callers} callers, ${bulkCallers} where they record 1,000 states at a time, and a pool of ${pool} connections.
Medians of ${rounds} rounds; a multiple compares figures of the same round.`,
    `Throughput, ${REFERENCE} = 1.00; in brackets the CPU time of a call in the contender's process, µs

${comparisonTable(calls, both(against(REFERENCE), cpu))}`,
    `The same; in brackets the middle half of the rounds

${comparisonTable(calls, middleHalfAgainst(REFERENCE))}`,
    `Throughput, TypeORM = 1.00; in brackets the middle half of the rounds

${comparisonTable(calls, middleHalfAgainst("TypeORM"), ["this module", "this module, prepared", "TypeORM on this client"])}`,
    `Calls a second

${comparisonTable(calls, callsASecond)}`,
    layoutTable("A partition for each week", layouts),
    citus.length > 0 ? layoutTable("Citus", citus) : "Citus did not run: CITUS_URL names no coordinator.",
    `By how many MB a list of ${grouped(memory.states)} states makes a fresh process grow at its peak

${asTable([["", "MB"], ...Object.entries(memory.megabytes).map(([name, grown]) => [name, spread(grown, 0)])])}`,
  ].join("\n\n");
}
