import type { DataSource } from "typeorm";

/** One place in a plan where rows come from the table or an index of it. */
export interface Scan {
  node: string;
  index: string | undefined;
  /** How many rows it read in all of its rounds, those among them that a filter took out. */
  rows: number;
}

/** How PostgreSQL carried out a statement. */
export interface Plan {
  scans: Scan[];
  /** Of 8 kB: how often a page was looked at. */
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
    return {
      scans: nodesOf(root).filter(isScan).map(scanOf),
      pages: root["Shared Hit Blocks"] + root["Shared Read Blocks"],
    };
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

const isScan = (node: Node) =>
  ("Relation Name" in node || "Index Name" in node) && node["Node Type"] !== "ModifyTable";

const scanOf = (node: Node): Scan => ({
  node: node["Node Type"],
  index: node["Index Name"],
  rows: (node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0)) * node["Actual Loops"],
});
