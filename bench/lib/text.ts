import type { Spread } from "./statistics";

/** A whole number with commas: 1,000,000. */
export const grouped = (number: number): string => Math.round(number).toLocaleString("en");

/** The median, and in brackets the middle half of the rounds. */
export const spread = ({ median, low, high }: Spread, digits: number): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)} ${high.toFixed(digits)}]`;

/** A table in Markdown. The first column is aligned to the left and the others to the right. */
export function asTable([head = [], ...rows]: string[][]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [head.map(pad), rule, ...rows.map((row) => row.map(pad))]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}
