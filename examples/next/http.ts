import type { EntityManager } from "typeorm";
import { InvalidUuidError } from "typeorm-task-run-state";

import { getDataSource } from "./data-source";

const LIMIT = 100_000;

export const refusal = (status: number, detail: string): Response => Response.json({ detail }, { status });

/** Answers what the route returns, and the errors that it throws. */
export async function answer(route: (manager: EntityManager) => Promise<Response>): Promise<Response> {
  try {
    return await route((await getDataSource()).manager);
  } catch (error) {
    if (error instanceof Response) return error;
    if (error instanceof InvalidUuidError) return refusal(400, error.message);
    console.error(error instanceof Error && error.stack); // Next would log all of it, with the statement's values.
    return refusal(500, "Internal Server Error");
  }
}

/** Next itself has no limit, and reads a body of whatever type. */
export async function readJson({ headers, body }: Request): Promise<unknown> {
  if (!/^application\/json\b/.test(headers.get("content-type") ?? ""))
    throw refusal(415, "The body must be JSON.");
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > LIMIT) throw refusal(413, `The body must have at most ${LIMIT} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw refusal(400, "The body must be JSON.");
  }
}
