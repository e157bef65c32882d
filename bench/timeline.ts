import { recordedRuns } from "../scripts/prefect/history";
import { svgOf, writeDocument } from "./lib/chart";
import { timelineChart } from "./lib/timeline-chart";

/** A run that failed twice, was retried twice and completed. */
const RETRIED_RUN = "ffa080ba-6fcf-42ce-9ffb-54580543e41f";

async function main(): Promise<void> {
  writeDocument("timeline.svg", await svgOf(timelineChart(recordedRuns.get(RETRIED_RUN) ?? [])));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
