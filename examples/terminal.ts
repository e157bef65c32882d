import { styleText } from "node:util";
import type { TaskRunState } from "typeorm-task-run-state";

type Style = Parameters<typeof styleText>[0];

/** Adds colours in a terminal. A file or a pipe gets plain text. */
function styled(style: Style, text: string): string {
  return process.stdout.isTTY ? styleText(style, text) : text;
}

export function printHeading(text: string): void {
  console.log(`\n${styled("bold", text)}`);
}

/** Prints the names of the states in order, without the middle of a long history. */
export function printPath(taskRunId: string, states: TaskRunState[]): void {
  const names = states.map(({ name }) => name);
  if (names.length > 8) names.splice(4, names.length - 6, `(${names.length - 6} more)`);
  console.log(`${taskRunId.slice(0, 8)}  ${String(states.length).padStart(3)}  ${names.join(" > ")}`);
}

/** Prints a line for each state: when it began, its name, how long it lasted, and a bar drawn to scale. */
export function printTimeline(states: TaskRunState[]): void {
  const times = states.map(({ timestamp }) => timestamp.getTime());
  const [start = 0, end = 0] = [times.at(0), times.at(-1)];
  const column = (time: number) => Math.round((40 * (time - start)) / (end - start));
  const block = process.stdout.isTTY ? "█" : "=";
  for (const [index, { name, timestamp }] of states.entries()) {
    const from = timestamp.getTime();
    const until = times[index + 1];
    const stayed = until === undefined ? "" : `${until - from} ms`;
    const bar = until === undefined ? "|" : block.repeat(column(until) - column(from));
    const offset = `+${from - start} ms`;
    const label = `${offset.padStart(8)}  ${name.padEnd(14)} ${stayed.padStart(6)}`;
    console.log(`${label}  ${" ".repeat(column(from))}${styled("cyan", bar)}`);
  }
}
