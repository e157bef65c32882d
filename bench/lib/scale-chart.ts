import { type Chart, PALETTE } from "./chart";
import { ACCESSES, type Access, METHODS } from "./latency";
import type { ScaleResults } from "./scale-results";
import { grouped } from "./text";

const LABEL: Record<Access, string> = {
  "working set": "a few rows, again and again",
  "whole table": "any row of the table",
};

/** A panel for each method, and in it a line for each kind of access. */
export function scaleChart({ latency: { timings }, rounds }: ScaleResults): Chart {
  const points = ACCESSES.flatMap((access) =>
    timings[access].map(({ rows, what, againstReference }) => ({
      rows: rows.toLocaleString("en", { notation: "compact" }),
      method: what,
      access: LABEL[access],
      ...againstReference,
    })),
  );
  const highest = Math.max(2, ...points.map(({ high }) => high));
  const scale = { domain: [0, highest], nice: true };
  const axis = {
    gridColor: { condition: { test: "datum.value === 1", value: PALETTE.muted }, value: PALETTE.faint },
  };
  const figures = (access: Access, field: "high" | "low", dy: number) => ({
    transform: [{ filter: `datum.access === '${LABEL[access]}' && datum.low < datum.high` }],
    mark: { type: "text", dy, fontSize: 11 } as const,
    encoding: {
      y: { field, type: "quantitative", scale } as const,
      text: { field: "median", format: ".2f" },
      color: { value: PALETTE.text },
    },
  });
  return {
    description: "Time of a call on larger tables in units of the smallest, for each method",
    title: {
      text: `Time of a call as the table grows, ${grouped(timings["whole table"][0]?.rows ?? 0)} rows = 1.00; less is better`,
      subtitle: `one caller, median of ${rounds} rounds; lines: the middle half of the rounds`,
    },
    data: { values: points },
    facet: { field: "method", sort: [...METHODS] },
    columns: METHODS.length,
    spec: {
      width: 230,
      height: 180,
      encoding: {
        x: {
          field: "rows",
          type: "ordinal",
          sort: null,
          axis: { labelAngle: 0, title: "rows in the table" },
        },
        color: {
          field: "access",
          scale: { domain: ACCESSES.map((access) => LABEL[access]), range: [PALETTE.blue, PALETTE.amber] },
          legend: { orient: "top", title: null },
        },
      },
      layer: [
        { mark: "line", encoding: { y: { field: "median", type: "quantitative", scale, axis } } },
        {
          mark: "rule",
          encoding: { y: { field: "low", type: "quantitative", scale }, y2: { field: "high" } },
        },
        {
          mark: { type: "circle", size: 45, opacity: 1 },
          encoding: { y: { field: "median", type: "quantitative", scale } },
        },
        // The whole table takes longer, so its figures stand above the lines and the others below them.
        figures("whole table", "high", -9),
        figures("working set", "low", 11),
      ],
    },
  };
}
