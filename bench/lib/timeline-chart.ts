import type { RecordedState } from "../../scripts/prefect/history";
import { type Chart, PALETTE } from "./chart";

const ROW_HEIGHT = 22;
const PADDING = { left: 20, top: 60, right: 62, bottom: 8 };

/** Where each column begins. The first one ends there. */
const COLUMN = { began: 56, name: 76, type: 188, bar: 292, end: 638 };

/** By type; the others are grey. */
const COLOUR: Record<string, string> = {
  SCHEDULED: PALETTE.amber,
  RUNNING: PALETTE.blue,
  COMPLETED: PALETTE.green,
};

/** A row for each state of a task run: when it began, its name, its type, and a bar for as long as it stayed. */
export function timelineChart(states: RecordedState[]): Chart {
  const [first, last] = [states.at(0), states.at(-1)];
  if (!first || !last) throw new Error("There is no state to draw");
  const offset = ({ timestamp }: RecordedState) => Date.parse(timestamp) - Date.parse(first.timestamp);
  const rows = states.map((state, row) => {
    const from = offset(state);
    const until = offset(states[row + 1] ?? state);
    return {
      row,
      nextRow: Math.min(row + 1, states.length - 1),
      name: state.name,
      type: state.type,
      colour: COLOUR[state.type] ?? PALETTE.slate,
      from,
      until,
      began: `+${from} ms`,
      stayed: state === last ? "" : `${until - from} ms`,
    };
  });

  const scale = { domain: [0, offset(last)], range: [COLUMN.bar, COLUMN.end] };
  const from = { field: "from", type: "quantitative", scale, axis: null } as const;
  const until = { ...from, field: "until" } as const;
  const colour = { field: "colour", scale: null } as const;
  const heading = (text: string, x: number, align: "left" | "right") => ({
    data: { values: [{}] },
    mark: { type: "text", align, color: PALETTE.muted, fontSize: 11 } as const,
    encoding: { text: { value: text }, x: { value: x }, y: { value: -12 } },
  });
  return {
    description: `The history of a task run: ${rows.map(({ name, stayed }) => name + (stayed && ` for ${stayed}`)).join(", ")}.`,
    title: {
      text: `The history of a task run: ${states.length} states in ${offset(last)} ms`,
      frame: "group",
      offset: 24,
    },
    autosize: "none",
    padding: PADDING,
    width: COLUMN.end,
    height: ROW_HEIGHT * rows.length,
    data: { values: rows },
    encoding: { y: { field: "row", type: "ordinal", axis: null } },
    layer: [
      heading("began", COLUMN.began, "right"),
      heading("state", COLUMN.name, "left"),
      heading("type", COLUMN.type, "left"),
      heading("how long it stayed", COLUMN.bar, "left"),
      {
        mark: { type: "text", align: "right" },
        encoding: { x: { value: COLUMN.began }, text: { field: "began" } },
      },
      {
        mark: { type: "text", align: "left", fontWeight: 600 },
        encoding: { x: { value: COLUMN.name }, text: { field: "name" } },
      },
      {
        mark: { type: "circle", size: 50, opacity: 1 },
        encoding: { x: { value: COLUMN.type + 4 }, color: colour },
      },
      {
        mark: { type: "text", align: "left", dx: 14, fontSize: 11, color: PALETTE.muted },
        encoding: { x: { value: COLUMN.type }, text: { field: "type" } },
      },
      { mark: { type: "rule", color: PALETTE.grey }, encoding: { x: until, y2: { field: "nextRow" } } },
      {
        mark: { type: "bar", height: 14, cornerRadius: 3 },
        encoding: { x: from, x2: { field: "until" }, color: colour },
      },
      {
        transform: [{ filter: "datum.stayed === ''" }],
        mark: { type: "circle", size: 130, opacity: 1 },
        encoding: { x: from, color: colour },
      },
      {
        mark: { type: "text", align: "left", dx: 7, fontSize: 11, color: PALETTE.muted },
        encoding: { x: until, text: { field: "stayed" } },
      },
    ],
  };
}
