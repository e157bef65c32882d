import { StateType, TERMINAL_STATE_TYPES } from "typeorm-task-run-state";

import { recordedRuns, recordedStates } from "../scripts/prefect/history";
import { readPage } from "./support/documents";

const { text, blocks } = readPage("docs/recording.md");

test("the table has every type, and the names that Prefect recorded with each", () => {
  const rows = [...text.matchAll(/^\| `([A-Z]+)` \| [^|]+ \| (.+) \|$/gm)];
  const shown = rows.map(([, type = "", names = ""]) => [type, names.replaceAll("`", "").split(", ").sort()]);
  const recorded = Object.values(StateType).map((type) => {
    const names = recordedStates.filter((state) => state.type === type).map(({ name }) => name);
    return [type, [...new Set(names)].sort()];
  });
  expect(new Map(shown as [string, string[]][])).toEqual(new Map(recorded as [string, string[]][]));
});

test("the diagram shows the ways that recorded task runs went, and the types in which they ended", () => {
  const diagram = blocks.find(({ kind }) => kind === "mermaid recorded")?.code ?? "";
  const shown = [...diagram.matchAll(/^ {2}(\S+ --> [^\s:]+)(?:: (\w+))?$/gm)];
  const ways = new Set<string>();
  const named = new Map<string, Set<string>>();
  for (const states of recordedRuns.values()) {
    let last = "[*]";
    for (const { type, name } of states) {
      const way = `${last} --> ${type}`;
      ways.add(way);
      if (name.toUpperCase() !== type) named.set(way, (named.get(way) ?? new Set()).add(name));
      last = type;
    }
    ways.add(`${last} --> [*]`);
  }
  expect(new Set(shown.map(([, way]) => way))).toEqual(ways);
  const names = shown
    .filter(([, , name]) => name)
    .map(([, way = "", name]) => [way, new Set([name])] as const);
  expect(new Map(names)).toEqual(named);
  const ends = [...ways].filter((way) => way.endsWith("--> [*]")).map((way) => way.split(" ")[0]);
  expect(new Set(ends)).toEqual(TERMINAL_STATE_TYPES);
});
