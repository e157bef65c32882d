import { QueryFailedError } from "typeorm";

/** What the promise rejects with; undefined when it does not. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** The SQLSTATE of the error that the promise rejects with, which must be TypeORM's with the database's own within it. */
export async function sqlStateOf(promise: Promise<unknown>): Promise<string | undefined> {
  const error = await failureOf(promise);
  expect(error).toBeInstanceOf(QueryFailedError);
  return (error as QueryFailedError<Error & { code?: string }>).driverError.code;
}
