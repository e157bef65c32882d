import { deepEqual, equal, ok } from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { DataSource, type EntityManager } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { toAnswers } from "../../../examples/prefect/answer";
import { createDataSource } from "../../../examples/prefect/data-source";
import { preciseTypes } from "../../../examples/prefect/precise-date";
import { differences } from "./differences";
import { assertNone, columnsOf, service } from "./live";

const PAGE = "docs/prefect.md";

interface Block {
  language: string;
  tag: string;
  code: string;
}

/** Runs the blocks of docs/prefect.md in their order, and compares the history that they copy with the original. */
export async function followPage(databaseUrl: string): Promise<string> {
  const blocks = readBlocks();
  const prefect = await createDataSource(databaseUrl).initialize();
  const { manager } = prefect;
  const history = new DataSource({
    type: "postgres",
    url: databaseUrl,
    schema: "history",
    entities: [TaskRunState],
    extra: { types: preciseTypes },
  });
  try {
    for (const block of blocks) await runBlock(block, databaseUrl, manager);
    await history.initialize();
    const copied = await assertCopied(manager, history.manager);

    const copy = () => Promise.all(blocks.filter(isSql).map(({ code }) => manager.query(code)));
    await copy();
    equal(await assertCopied(manager, history.manager), copied);
    await manager.query(
      `INSERT INTO task_run_state (type, timestamp, name, task_run_id)
       SELECT 'RUNNING', '2020-03-03 00:00:00.000003+00', 'Later', id FROM task_run LIMIT 1`,
    );
    await copy();
    equal(await assertCopied(manager, history.manager), copied + 1);
    return `${blocks.length} blocks; ${copied} states copied, 0 differences; run again: 0 copied; after 1 more state: 1 copied`;
  } finally {
    if (history.isInitialized) await history.destroy();
    await prefect.destroy();
  }
}

const isSql = ({ language }: Block): boolean => language === "sql";

function readBlocks(): Block[] {
  const blocks = readFileSync(PAGE, "utf8").matchAll(/^```(\w+) (\S+)\n(.*?)^```$/gms);
  return [...blocks].map(([, language = "", tag = "", code = ""]) => ({ language, tag, code }));
}

async function runBlock({ language, tag, code }: Block, url: string, manager: EntityManager): Promise<void> {
  const [, source] = /^source=(.+)/.exec(tag) ?? [];
  if (source) {
    const isPart = withoutIndentation(readFileSync(source, "utf8")).includes(withoutIndentation(code));
    ok(isPart, `${source} has other code than the page`);
  }
  if (language === "sql") await manager.query(code);
  if (language === "ts" && !source) await runProgram(code, url);
}

const withoutIndentation = (code: string): string => code.replace(/^ +/gm, "");

async function runProgram(code: string, databaseUrl: string): Promise<void> {
  const file = "from-the-page.mts";
  writeFileSync(file, code);
  const env = { ...process.env, DATABASE_URL: databaseUrl };
  await promisify(execFile)(process.execPath, ["--import", "tsx", file], { env });
  rmSync(file);
}

/** Returns the number of states. */
async function assertCopied(original: EntityManager, history: EntityManager): Promise<number> {
  const states = await original.find(TaskRunState, { order: { id: "ASC" } });
  const answers = await toAnswers(original, states);
  equal(await history.count(TaskRunState), states.length);
  for (const [index, state] of states.entries()) {
    const copy = await service.readTaskRunState(history, state.id);
    ok(copy);
    assertNone(differences(columnsOf(copy), { ...columnsOf(state), data: answers[index]?.data }));
  }
  deepEqual(
    await history.query("SELECT count(*)::int AS pairs FROM history.task_run_state WHERE data = 'null'"),
    [{ pairs: 0 }],
  );
  return states.length;
}
