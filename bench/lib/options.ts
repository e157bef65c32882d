/** The options that both benchmarks have. */
export const OPTIONS = {
  /** Little data and a few short rounds: they show that it works, not how fast it is. */
  quick: { type: "boolean", default: false },
  /** Prints JSON instead of tables. */
  json: { type: "boolean", default: false },
  /** Writes the chart too. */
  plot: { type: "boolean", default: false },
} as const;
