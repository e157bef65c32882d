import { type BenchResults, REFERENCE } from "./bench-results";
import { type Chart, PALETTE } from "./chart";

const PANEL_WIDTH = 170;
/** Room for the figures to the right of the bars. */
const FIGURE_WIDTH = 34;

/** A panel for each operation, and in it a bar for each contender. */
export function benchChart({ calls, versions, callers, rounds }: BenchResults): Chart {
  const bars = calls.map(({ operation, participant, against }) => ({
    operation,
    contender: participant,
    ...against[REFERENCE],
  }));
  const longest = Math.max(...bars.map(({ high = 0 }) => high));
  const scale = { domain: [0, longest], range: [0, PANEL_WIDTH - FIGURE_WIDTH] };
  const lineAtReference = {
    values: [1],
    labels: false,
    gridColor: PALETTE.muted,
    gridDash: [3, 3],
    zindex: 1,
  };
  const isReference = `datum.contender === '${REFERENCE}'`;
  const isModule = "indexof(datum.contender, 'this module') === 0";
  return {
    description: "Throughput of each library in units of SQL by hand, for each operation",
    title: {
      text: "Throughput, SQL by hand on pg = 1.00; more is better",
      subtitle: `${callers} callers, median of ${rounds} rounds; lines: the middle half of the rounds`,
    },
    data: { values: bars },
    facet: { field: "operation", sort: [...new Set(calls.map(({ operation }) => operation))] },
    columns: 3,
    spacing: { row: 20, column: 26 },
    spec: {
      width: PANEL_WIDTH,
      height: { step: 18 },
      encoding: {
        y: {
          field: "contender",
          type: "nominal",
          sort: Object.keys(versions),
          axis: {
            labelLimit: 0,
            labelColor: PALETTE.text,
            labelFontWeight: {
              condition: { test: "indexof(datum.value, 'this module') === 0", value: 600 },
              value: 400,
            },
          },
        },
      },
      layer: [
        {
          mark: { type: "bar", height: 12 },
          encoding: {
            x: { field: "median", type: "quantitative", scale, axis: lineAtReference },
            color: {
              condition: [
                { test: isModule, value: PALETTE.blue },
                { test: isReference, value: PALETTE.slate },
              ],
              value: PALETTE.grey,
            },
          },
        },
        {
          mark: { type: "rule", color: PALETTE.text },
          encoding: { x: { field: "low", type: "quantitative", scale }, x2: { field: "high" } },
        },
        ...[
          { filter: isModule, fontWeight: 600 as const },
          { filter: `!(${isModule})`, fontWeight: 400 as const },
        ].map(({ filter, fontWeight }) => ({
          transform: [{ filter }],
          mark: { type: "text" as const, align: "right" as const, fontSize: 11, fontWeight },
          encoding: { x: { value: PANEL_WIDTH }, text: { field: "median", format: ".2f" } },
        })),
      ],
    },
  };
}
