/**
 * Deletes the histories of task runs that finished long ago, on the server that DATABASE_URL names. For cron:
 *
 *   npx tsx prune.ts --older-than 90d
 *
 * `--before` takes a day or an instant instead, in UTC. `--dry-run` counts and deletes nothing. `--batch` says how many task
 * runs one step looks at. `--after` continues where an earlier command stopped. Ctrl-C stops it when the step that is at
 * work has ended.
 */
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { DataSource, type EntityManager } from "typeorm";
import { type PruneOptions, pruneTaskRunStates, TaskRunState } from "typeorm-task-run-state";

async function main(): Promise<void> {
  const options = readOptions();
  const dataSource = await connect();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      console.error("Stopping when this step has ended. Once more stops at once.");
      process.exitCode = 128 + constants.signals[signal];
    });
  }
  await prune(dataSource.manager, options);
  await dataSource.destroy();
}

function readOptions(): PruneOptions {
  const { before, "older-than": age, batch, after, "dry-run": dryRun } = orRefuse(readArguments);
  const options: PruneOptions = { before: readTime(before, age), dryRun };
  if (batch !== undefined) options.batch = Number(batch);
  if (after !== undefined) options.after = after;
  return options;
}

function readArguments() {
  return parseArgs({
    options: {
      before: { type: "string" },
      "older-than": { type: "string" },
      batch: { type: "string" },
      after: { type: "string" },
      "dry-run": { type: "boolean", default: false },
    },
  }).values;
}

function readTime(before: string | undefined, age: string | undefined): Date {
  const isOne = (before === undefined) !== (age === undefined);
  const time = before === undefined ? ago(age ?? "") : instantOf(before);
  if (isOne && time.getTime() < Date.now()) return time;
  refuse(
    "Say before which past day or instant, such as --before 2026-01-01 or --before 2026-01-01T12:00:00Z, " +
      "or how old, in days or hours, such as --older-than 90d.",
  );
}

const HOUR = 60 * 60 * 1000;

function ago(age: string): Date {
  const [, count, unit] = /^([1-9]\d*)([dh])$/.exec(age) ?? [];
  return new Date(Date.now() - Number(count) * (unit === "d" ? 24 * HOUR : HOUR));
}

/** Takes what reads the same when it is written out again: JavaScript takes "2026-02-31" for a day of March. */
function instantOf(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return time;
  const instant = time.toISOString();
  const spellings = [instant, instant.replace(".000Z", "Z"), instant.replace("T00:00:00.000Z", "")];
  return spellings.includes(text) ? time : new Date(Number.NaN);
}

async function connect(): Promise<DataSource> {
  const { DATABASE_URL: url } = process.env;
  if (!url) refuse("Set DATABASE_URL to your server, such as postgres://user:password@localhost/database.");
  try {
    return await new DataSource({ type: "postgres", url, entities: [TaskRunState] }).initialize();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    refuse(`Cannot connect to PostgreSQL (${message || code}): check DATABASE_URL.`, 1);
  }
}

/** Takes step after step until all are done, one fails, or a signal has set the exit code. */
async function prune(manager: EntityManager, options: PruneOptions): Promise<void> {
  const steps = orRefuse(() => pruneTaskRunStates(manager, options));
  const total = { taskRunsSeen: 0, taskRuns: 0, states: 0 };
  const text = () =>
    `${grouped(total.taskRunsSeen)} task runs looked at, ${grouped(total.states)} states of ` +
    `${grouped(total.taskRuns)} ${options.dryRun ? "to delete" : "deleted"}`;
  let { after } = options;
  const first = place(after ?? (await outermost(manager, "ASC")));
  const last = place(await outermost(manager, "DESC"));
  // It shows itself in a terminal only.
  const bar = new SingleBar({ stream: process.stdout, format: "{bar} {percentage} %: {text}" });
  bar.start(last - first, 0, { text: text() });
  try {
    for await (const step of steps) {
      total.taskRunsSeen += step.taskRunsSeen;
      total.taskRuns += step.taskRuns;
      total.states += step.states;
      after = step.after;
      bar.update(after ? place(after) - first : 0, { text: text() });
      if (!process.stdout.isTTY) console.log(text() + (after ? `, up to task run ${after}` : ""));
      if (process.exitCode !== undefined) break;
    }
  } catch (error) {
    process.exitCode = 1;
    bar.stop();
    console.error((error as Error).message);
  }
  bar.stop();
  if (process.exitCode === undefined) console.log(`Done: ${text()}.`);
  else if (after) console.log(`Stopped. To continue, add --after ${after}`);
}

/** The first or the last task run by id. */
async function outermost(manager: EntityManager, direction: "ASC" | "DESC"): Promise<string | undefined> {
  const [state] = await manager.find(TaskRunState, { order: { taskRunId: direction }, take: 1 });
  return state?.taskRunId;
}

/** How far on an id is, for the bar: by its first 48 bits, which of version 7 are the time. */
function place(id = ""): number {
  return Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
}

function grouped(count: number): string {
  return count.toLocaleString("en");
}

function orRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    refuse((error as Error).message);
  }
}

function refuse(sentence: string, exitCode = 2): never {
  console.error(sentence);
  process.exit(exitCode);
}

main().catch((error: Error) => refuse(error.message, 1));
