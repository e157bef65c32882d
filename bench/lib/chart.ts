import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config, TopLevelSpec } from "vega-lite";

/** The colours of all charts. */
export const PALETTE = {
  page: "#ffffff",
  text: "#1f2328",
  muted: "#59636e",
  faint: "#d1d9e0",
  grey: "#afb8c1",
  slate: "#818b98",
  blue: "#0969da",
  amber: "#bf8700",
  green: "#1a7f37",
};

/** The colours for readers who prefer dark pages. */
const DARK_PALETTE: typeof PALETTE = {
  page: "#0d1117",
  text: "#f0f6fc",
  muted: "#9198a1",
  faint: "#30363d",
  grey: "#4b535d",
  slate: "#7d8590",
  blue: "#4493f8",
  amber: "#d29922",
  green: "#3fb950",
};

const CONFIG: Config = {
  background: PALETTE.page,
  font: "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif",
  padding: 12,
  view: { stroke: null },
  title: {
    anchor: "start",
    frame: "bounds",
    color: PALETTE.text,
    fontSize: 14,
    subtitleColor: PALETTE.muted,
    subtitleFontSize: 12,
    subtitlePadding: 5,
    offset: 14,
  },
  header: {
    title: null,
    labelAnchor: "start",
    labelColor: PALETTE.text,
    labelFontSize: 12,
    labelFontWeight: 600,
  },
  legend: { labelColor: PALETTE.text, labelFontSize: 12, labelLimit: 0 },
  axis: {
    title: null,
    titleColor: PALETTE.muted,
    titleFontSize: 11,
    titleFontWeight: 400,
    domain: false,
    ticks: false,
    gridColor: PALETTE.faint,
    labelColor: PALETTE.muted,
    labelFontSize: 11,
    labelPadding: 6,
  },
  text: { color: PALETTE.text, fontSize: 12, baseline: "middle" },
};

/** A Vega-Lite chart with a text for readers who cannot see it. */
export type Chart = TopLevelSpec & { description: string };

const DARK_STYLE = Object.entries(PALETTE).map(([name, light]) => {
  const dark = DARK_PALETTE[name as keyof typeof PALETTE];
  return `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`;
});

/** Draws the chart as SVG, with one tag on each line. */
export async function svgOf(chart: Chart): Promise<string> {
  // Vega is an ES module that awaits at its top level, which `require` refuses.
  const [{ compile }, { parse, View }] = await Promise.all([import("vega-lite"), import("vega")]);
  const svg = await new View(parse(compile(chart, { config: CONFIG }).spec), { renderer: "none" }).toSVG();
  const head = `<title>${chart.description}</title>
<style>@media (prefers-color-scheme: dark) {
${DARK_STYLE.join("\n")}
}</style>`;
  const drawn = svg
    .replaceAll(/ (role|aria-[a-z]+)="[^"]*"/g, "") // Screen readers read the title alone.
    .replace(/<svg ([^>]*)>/, `<svg role="img" $1>${head}`)
    .replaceAll("><", ">\n<");
  return `${drawn}\n`;
}

export function writeDocument(name: string, svg: string): void {
  writeFileSync(join(__dirname, "../../docs", name), svg);
}
