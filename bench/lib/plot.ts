import type { ScaleResults } from "../scale";
import { ACCESSES, type Access, METHODS } from "./latency";
import type { Results } from "./results";
import type { Spread } from "./statistics";

/** Colours that carry on a white page and on a dark one. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 13px; font-weight: 600 }
  .note, .axis { fill: #656d76; font-size: 11px }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .ours { font-weight: 600 }
  rect { fill: #b6bec8 }
  rect.ours { fill: #0969da }
  rect.reference { fill: #818b98 }
  line { stroke: #24292f; stroke-width: 1 }
  .grid { stroke: #d1d9e0 }
  .one { stroke: #656d76; stroke-dasharray: 3 3 }
  polyline { fill: none; stroke-width: 2 }
  .c0 { stroke: #0969da } circle.c0, text.c0 { fill: #0969da; stroke: none }
  .c1 { stroke: #bc4c00 } circle.c1, text.c1 { fill: #bc4c00; stroke: none }
  .c2 { stroke: #1a7f37 } circle.c2, text.c2 { fill: #1a7f37; stroke: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .note, .axis { fill: #9198a1 }
    rect { fill: #4b535d }
    rect.ours { fill: #4493f8 }
    rect.reference { fill: #7d8590 }
    line { stroke: #e6edf3 }
    .grid { stroke: #3d444d }
    .one { stroke: #9198a1 }
    .c0 { stroke: #4493f8 } circle.c0, text.c0 { fill: #4493f8 }
    .c1 { stroke: #f0883e } circle.c1, text.c1 { fill: #f0883e }
    .c2 { stroke: #3fb950 } circle.c2, text.c2 { fill: #3fb950 }
  }`;

const BAR = { height: 13, gap: 5 };
const PANEL = { width: 430, label: 100, bars: 260, value: 40, title: 34, margin: 22 };

/** A panel for each operation, in two columns; a bar for each contender, in units of SQL by hand. */
export function barChart({ operations, contenders, callers, rounds }: Results): string {
  const panelHeight = PANEL.title + contenders.length * (BAR.height + BAR.gap) + PANEL.margin;
  const top = 50;
  const longest = Math.max(
    ...operations.flatMap(({ results }) => results.map(({ againstReference }) => againstReference.high)),
  );
  const scale = (ratio: number) => (ratio / longest) * PANEL.bars;
  const panels = operations.map(({ name, results }, n) => {
    const bars = results.map(({ contender, againstReference }, row) => {
      const kind =
        contender === "this module"
          ? "ours"
          : againstReference.high === againstReference.low
            ? "reference"
            : "";
      return bar(contender, againstReference, { kind, scale, y: PANEL.title + row * (BAR.height + BAR.gap) });
    });
    const one = PANEL.label + scale(1);
    return group(
      (n % 2) * PANEL.width + 10,
      top + Math.floor(n / 2) * panelHeight,
      text(PANEL.label, 20, name, "title"),
      ...bars,
      line(one, PANEL.title - 4, one, panelHeight - PANEL.margin, "one"),
    );
  });
  return svg(
    2 * PANEL.width + 20,
    top + Math.ceil(operations.length / 2) * panelHeight,
    "Throughput of each library in units of SQL by hand",
    text(10, 20, "Throughput, SQL by hand on pg = 1.00; more is better", "title"),
    text(
      10,
      38,
      `${callers} callers, median of ${rounds} rounds; lines: the middle half of the rounds`,
      "note",
    ),
    ...panels,
  );
}

interface BarPlace {
  kind: string;
  scale: (ratio: number) => number;
  y: number;
}

function bar(name: string, { median, low, high }: Spread, { kind, scale, y }: BarPlace): string {
  const middle = y + BAR.height / 2;
  const x = PANEL.label;
  return [
    text(x - 8, middle + 4, name, `end ${kind}`),
    `<rect x="${x}" y="${y}" width="${scale(median).toFixed(1)}" height="${BAR.height}" class="${kind}"/>`,
    high > low ? line(x + scale(low), middle, x + scale(high), middle) : "",
    text(x + PANEL.bars + PANEL.value, middle + 4, median.toFixed(2), `end ${kind}`),
  ].join("");
}

/** How long a call takes on larger and larger tables, in units of the smallest: a panel for each way of access. */
export function lineChart({ tables, rounds }: ScaleResults): string {
  const width = 880;
  const height = 335;
  const panels: Record<Access, string> = {
    "working set": "a few rows, again and again",
    "whole table": "any row of the table",
  };
  const ratios = tables.flatMap(({ methods }) =>
    METHODS.flatMap((method) => ACCESSES.map((access) => methods[method][access].againstSmallest.high)),
  );
  const highest = Math.max(2, Math.ceil(Math.max(...ratios) * 2) / 2);
  return svg(
    width,
    height,
    "Time of a call on larger tables in units of the smallest",
    text(10, 20, "Time of a call as the table grows, smallest table = 1.0; less is better", "title"),
    text(10, 38, `one caller, median of ${rounds} rounds; lines: the middle half of the rounds`, "note"),
    ...ACCESSES.map((access, n) =>
      group(
        (n * width) / 2,
        50,
        ...lines(
          panels[access],
          tables.map(({ rows }) => rows.toLocaleString("en")),
          METHODS.map((method) => ({
            name: method,
            spreads: tables.map(({ methods }) => methods[method][access].againstSmallest),
          })),
          highest,
        ),
      ),
    ),
  );
}

function lines(
  title: string,
  sizes: string[],
  curves: { name: string; spreads: Spread[] }[],
  highest: number,
): string[] {
  const plot = { left: 40, right: 310, top: 40, bottom: 230 };
  const y = (ratio: number) => plot.bottom - (ratio / highest) * (plot.bottom - plot.top);
  const x = (n: number) =>
    plot.left + 30 + (n / Math.max(1, sizes.length - 1)) * (plot.right - plot.left - 60);
  const step = highest > 3 ? 1 : 0.5;
  const ends = spacedOut(curves.map(({ spreads }) => y(spreads.at(-1)?.median ?? 1)));
  return [
    text(plot.left, 20, title, "title"),
    ...Array.from({ length: Math.floor(highest / step) + 1 }, (_, n) => n * step).map(
      (ratio) =>
        line(plot.left, y(ratio), plot.right, y(ratio), ratio === 1 ? "one" : "grid") +
        text(plot.left - 8, y(ratio) + 4, ratio.toFixed(1), "axis end"),
    ),
    ...sizes.map((size, n) => text(x(n), plot.bottom + 20, size, "axis middle")),
    text((plot.left + plot.right) / 2, plot.bottom + 40, "rows in the table", "axis middle"),
    ...curves.map(({ name, spreads }, colour) =>
      [
        `<polyline class="c${colour}" points="${spreads.map(({ median }, n) => `${x(n).toFixed(1)},${y(median).toFixed(1)}`).join(" ")}"/>`,
        ...spreads.map(
          ({ median, low, high }, n) =>
            line(x(n), y(low), x(n), y(high), `c${colour}`) +
            `<circle class="c${colour}" cx="${x(n).toFixed(1)}" cy="${y(median).toFixed(1)}" r="3.5"/>`,
        ),
        text(
          plot.right + 6,
          (ends[colour] ?? 0) + 4,
          `${name} ${spreads.at(-1)?.median.toFixed(2)}`,
          `c${colour}`,
        ),
      ].join(""),
    ),
  ];
}

/** Moves labels apart so far that each can be read, in their order. */
function spacedOut(heights: number[]): number[] {
  const sorted = heights.map((height, n) => ({ height, n })).toSorted((a, b) => a.height - b.height);
  let free = Number.NEGATIVE_INFINITY;
  const moved: number[] = [];
  for (const { height, n } of sorted) {
    moved[n] = Math.max(height, free);
    free = moved[n] + 16;
  }
  return moved;
}

const svg = (width: number, height: number, label: string, ...content: string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${label}">
<style>${STYLE}
</style>
${content.join("\n")}
</svg>
`;

const group = (x: number, y: number, ...content: string[]): string =>
  `<g transform="translate(${x} ${y})">\n${content.join("\n")}\n</g>`;

const text = (x: number, y: number, content: string, kind = ""): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}">${content}</text>`;

const line = (x1: number, y1: number, x2: number, y2: number, kind = ""): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" class="${kind}"/>`;
