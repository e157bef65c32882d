import type { Spread } from "./statistics";

/** A whole number with commas: 1,000,000. */
export const grouped = (number: number): string => Math.round(number).toLocaleString("en");

/** The median, and in brackets the middle half of the rounds. */
export const spread = ({ median, low, high }: Spread, digits: number): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)} ${high.toFixed(digits)}]`;

/** Aligns the first column to the left and the others to the right. */
export function asTable(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) =>
          column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
        )
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}
