import type { Client } from "pg";

/** How PostgreSQL executed a statement. */
export interface Plan {
  /** Its nodes from the outermost inwards, on one line. */
  text: string;
  /** Pages of 8 kB that it looked at, in tables and indexes. */
  pages: number;
  /** The pages among them that PostgreSQL had to ask the operating system for. */
  pagesRead: number;
  /** The nodes whose work grows with the table: they read rows without an index, or rows that are not returned. */
  faults: string[];
}

interface Node {
  "Node Type": string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Rows Removed by Filter"?: number;
  "Sort Key"?: string[];
  "Presorted Key"?: string[];
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: Node[];
}

export async function explain(client: Client, sql: string, parameters: unknown[]): Promise<Plan> {
  await client.query("BEGIN"); // EXPLAIN ANALYZE carries a deletion out.
  try {
    const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
      parameters,
    );
    const root = rows[0]?.["QUERY PLAN"][0].Plan;
    if (!root) throw new Error("EXPLAIN returned no plan");
    const nodes = nodesOf(root);
    const result = nodes.find((node) => node["Node Type"] !== "ModifyTable")?.["Actual Rows"] ?? 0;
    return {
      text: nodes.map(describe).join(" < "),
      pages: root["Shared Hit Blocks"] + root["Shared Read Blocks"],
      pagesRead: root["Shared Read Blocks"],
      faults: nodes.filter((node) => isFault(node, result)).map(describe),
    };
  } finally {
    await client.query("ROLLBACK");
  }
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const isFault = (node: Node, result: number): boolean =>
  node["Node Type"] === "Seq Scan" ||
  node["Actual Rows"] > result ||
  (node["Rows Removed by Filter"] ?? 0) > 0;

function describe(node: Node): string {
  const details = [
    node["Index Name"],
    node["Presorted Key"] && `presorted by ${shortened(node["Presorted Key"])}`,
    node["Sort Key"] && `by ${shortened(node["Sort Key"])}`,
    `${node["Actual Rows"]} rows`,
  ];
  return `${node["Node Type"]} (${details.filter(Boolean).join(", ")})`;
}

/** The columns alone, without the table's alias. */
const shortened = (keys: string[]): string =>
  keys.map((key) => key.replaceAll('"', "").split(".").at(-1)).join(", ");
