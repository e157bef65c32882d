/** The options that both benchmarks have. */
export const OPTIONS = {
  /** Takes little data and a few short rounds, to show that everything works; the figures mean nothing. */
  quick: { type: "boolean", default: false },
  /** Prints JSON instead of tables. */
  json: { type: "boolean", default: false },
  /** Also writes the chart into `docs`. */
  plot: { type: "boolean", default: false },
} as const;
