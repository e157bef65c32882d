import type { DataSource } from "typeorm";

/** How PostgreSQL carried out a statement. */
export interface Plan {
  /** How many rows it read by each index, those among them that a filter took out; without one, under `Seq Scan`. */
  rows: Record<string, number>;
  /** How often it looked at a page, of 8 kB, of the table or an index. */
  pages: number;
}

interface Node {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: Node[];
}

/** Carries the statement out and undoes it. */
export async function explain(
  dataSource: DataSource,
  sql: string,
  parameters: unknown[] = [],
): Promise<Plan> {
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  try {
    const [row] = await runner.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, parameters);
    const root: Node = row["QUERY PLAN"][0].Plan;
    return { rows: rowsOf(root), pages: root["Shared Hit Blocks"] + root["Shared Read Blocks"] };
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

function rowsOf(root: Node): Record<string, number> {
  const rows: Record<string, number> = {};
  for (const node of nodesOf(root)) {
    const { "Node Type": type, "Index Name": index = type } = node;
    // A bitmap's heap scan reads what its index scan gave it.
    if (
      !/Scan/.test(type) ||
      !("Relation Name" in node || "Index Name" in node) ||
      type === "Bitmap Heap Scan"
    )
      continue;
    const read = node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0);
    rows[index] = (rows[index] ?? 0) + read * node["Actual Loops"];
  }
  return rows;
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
