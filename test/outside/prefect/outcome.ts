import { deepEqual } from "node:assert/strict";

/** What a row of the table in docs/prefect.md says of one version of Prefect. */
export interface Outcome {
  version: string;
  pythonVersion: string;
  postgresVersion: string;
  states: number;
  taskRuns: number;
  differences: 0 | "see above";
}

const HEADER = ["Prefect", "Python", "PostgreSQL", "states", "task runs", "differences"];

export function asTable(outcomes: Outcome[]): string {
  const rows = [HEADER, HEADER.map(() => "---"), ...outcomes.map(cellsOf)];
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Python and PostgreSQL may be others on this machine. */
export function assertOnPage(page: string, outcome: Outcome): void {
  const row = page.split("\n").find((line) => line.startsWith(`| ${outcome.version} |`)) ?? "";
  const withoutMachine = ([version, , , ...counts]: string[]) => [version, ...counts];
  deepEqual(withoutMachine(row.slice(2, -2).split(" | ")), withoutMachine(cellsOf(outcome)));
}

function cellsOf({
  version,
  pythonVersion,
  postgresVersion,
  states,
  taskRuns,
  differences,
}: Outcome): string[] {
  return [version, pythonVersion, postgresVersion, states, taskRuns, differences].map(String);
}
