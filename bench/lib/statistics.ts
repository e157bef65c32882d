/** The median of some figures, and the two quartiles: the middle half of the figures lies between them. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

export function spreadOf(figures: number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** Interpolates between the two nearest figures. */
function quantile(sorted: number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position % 1);
}

/** Divides the figure of each round by the other figure of the same round. */
export const quotients = (dividends: number[], divisors: number[]): number[] =>
  dividends.map((dividend, round) => dividend / (divisors[round] ?? Number.NaN));
