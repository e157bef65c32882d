import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/**
 * What must hold for a commit. The lanes run side by side, and the parts of a lane one after the other: in the second,
 * parts build `dist`.
 */
const lanes = [
  ["npm run check", "npm test -- --coverage", "npm start"],
  [
    "npm run test:hosts",
    "npx tsx test/outside/pooler.ts",
    "npx tsx test/outside/pgpool.ts",
    "npm run test:matrix -- --quick",
    "npm run test:prefect",
    // In so short a run their figures mean nothing: it shows that the benchmarks work and that their contenders agree.
    "npm run bench -- --quick",
    "npm run bench:scale -- --quick",
    "npm run bench:timeline",
    "git diff --exit-code docs/timeline.svg",
    "npm run check --prefix bench",
  ],
];

interface Outcome {
  command: string;
  failed: boolean;
  seconds: number;
  /** What the part left out, and why. */
  leftOut: string[];
}

/** Prints what a part has printed when it ends, and in the end a table. Fails when a part has failed. */
async function main(): Promise<void> {
  const outcomes = (await Promise.all(lanes.map(runInTurn))).flat();
  console.log(`\n${outcomes.map(lineOf).join("\n")}`);
  const incomplete = process.env.CI_REQUIRE_ALL === "1" && outcomes.some(({ leftOut }) => leftOut.length > 0);
  if (incomplete) console.log("CI_REQUIRE_ALL is 1, so what did not run fails.");
  process.exitCode = incomplete || outcomes.some(({ failed }) => failed) ? 1 : 0;
}

async function runInTurn(commands: string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const command of commands) outcomes.push(await run(command));
  return outcomes;
}

async function run(command: string): Promise<Outcome> {
  console.log(`started  ${command}`);
  const start = performance.now();
  const child = spawn(`${command} 2>&1`, { shell: true, stdio: ["ignore", "pipe", "inherit"] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`\n===== ${command}\n${output.trimEnd()}`);
  return { command, failed: code !== 0, seconds, leftOut: leftOutOf(output) };
}

/** Parts that lack something say in a line that they did not run. Nothing here can bring a cluster of Citus. */
function leftOutOf(output: string): string[] {
  return output.split("\n").filter((line) => line.includes("did not run") && !line.startsWith("Citus "));
}

function lineOf({ command, failed, seconds, leftOut }: Outcome): string {
  const outcome = failed ? "FAILED" : leftOut.length > 0 ? "not all" : "ok";
  const line = `${outcome.padEnd(7)} ${String(seconds).padStart(5)} s  ${command}`;
  return [line, ...leftOut.map((reason) => `${" ".repeat(17)}${reason}`)].join("\n");
}

main();
