import rootPackage from "../../package.json";
import benchPackage from "../package.json";
import type { Contender } from "./contender";
import { type Machine, machineAsText } from "./machine";
import type { Measurement } from "./measure";
import type { Operation } from "./operations";
import { quotients, type Spread, spreadOf } from "./statistics";
import { asTable, grouped, spread } from "./text";

/** What `--json` prints. A ratio compares figures of the same round: what slows the machine down slows both. */
export interface BenchResults {
  machine: Machine;
  callers: number;
  pool: number;
  rounds: number;
  contenders: { name: string; version: string }[];
  operations: { name: string; kind: "read" | "write"; callsPerRound: number; results: Result[] }[];
}

export interface Result {
  contender: string;
  /** Calls a second. */
  throughput: Spread;
  /** Throughput divided by the reference's. */
  againstReference: Spread;
  /** This module's throughput divided by this contender's. */
  moduleAgainstThis: Spread;
  /** CPU time of this process for a call, in microseconds. */
  cpu: Spread;
}

/** The measurements of an operation: for each contender, one a round. */
export type Rounds = Map<Contender, Measurement[]>;

export function resultsOf(rounds: Rounds, reference: Contender, module: Contender): Result[] {
  const throughputs = (contender: Contender) => (rounds.get(contender) ?? []).map((each) => each.throughput);
  return [...rounds].map(([contender, measurements]) => ({
    contender: contender.name,
    throughput: spreadOf(throughputs(contender)),
    againstReference: spreadOf(quotients(throughputs(contender), throughputs(reference))),
    moduleAgainstThis: spreadOf(quotients(throughputs(module), throughputs(contender))),
    cpu: spreadOf(measurements.map(({ cpu }) => cpu)),
  }));
}

export function versionOf({ library }: Contender): string {
  const versions: Record<string, string> = {
    ...rootPackage.devDependencies,
    ...benchPackage.dependencies,
    [rootPackage.name]: rootPackage.version,
  };
  return versions[library] ?? "unknown";
}

export function asText({ machine, callers, pool, rounds, contenders, operations }: BenchResults): string {
  const table = (kind: Operation["kind"], cell: (result: Result) => string) => {
    const columns = operations.filter((operation) => operation.kind === kind);
    return asTable([
      ["", ...columns.map(({ name }) => name)],
      ...contenders.map(({ name, version }, row) => [
        `${name} ${version}`,
        ...columns.map(({ results }) => {
          const result = results[row];
          return result ? cell(result) : "";
        }),
      ]),
    ]);
  };
  const both = (title: string, cell: (result: Result) => string) =>
    [title, "", table("read", cell), "", table("write", cell)].join("\n");

  return [
    `${machineAsText(machine)}
${callers} callers, a pool of ${pool} connections each, ${rounds} rounds. Medians; in brackets the middle half of the rounds.`,
    both("Calls a second", ({ throughput }) => grouped(throughput.median)),
    both("Throughput, pg by hand = 1.00", ({ againstReference }) => spread(againstReference, 2)),
    both("Throughput of this module, the contender's = 1.00", ({ moduleAgainstThis }) =>
      spread(moduleAgainstThis, 2),
    ),
    both("CPU time of a call, µs, without the server's", ({ cpu }) => grouped(cpu.median)),
  ].join("\n\n");
}
