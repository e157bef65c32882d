import { In, IsNull, Not, Raw } from "typeorm";
import { InvalidUuidError, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

const uuid = "01a202e3-518d-7ab3-8674-4b13d969cbbd";
const invalidIds: [string, unknown, kind: string][] = [
  ["undefined", undefined, "undefined"],
  ["null", null, "null"],
  ["an empty string", "", "string"],
  ["blanks", " ".repeat(36), "string"],
  ["x", "x", "string"],
  ["zero", 0, "number"],
  ["a number", 7, "number"],
  ["NaN", Number.NaN, "number"],
  ["a bigint", 7n, "bigint"],
  ["a symbol", Symbol("id"), "symbol"],
  ["true", true, "boolean"],
  ["false", false, "boolean"],
  ["a Date", new Date(), "object"],
  ["a Buffer", Buffer.from(uuid), "object"],
  ["an empty array", [], "array"],
  ["an array of one UUID", [uuid], "array"],
  ["a plain object", { id: uuid }, "object"],
  ["an object with toString", { toString: () => uuid }, "object"],
  ["a String object", new String(uuid), "object"],
  ["a function", () => uuid, "function"],
  ["Not(IsNull())", Not(IsNull()), "object"],
  ["In([...])", In([uuid]), "object"],
  ["Raw(...)", Raw(() => "TRUE"), "object"],
  ["braces", `{${uuid}}`, "string"],
  ["no dashes", uuid.replaceAll("-", ""), "string"],
  ["dashes elsewhere", "01a2-02e3518d-7ab3-8674-4b13d969cbbd", "string"],
  ["one digit short", uuid.slice(0, -1), "string"],
  ["one digit long", `${uuid}0`, "string"],
  ["one digit before", `0${uuid}`, "string"],
  ["a digit that is not hexadecimal", uuid.replace("a", "g"), "string"],
  ["a trailing newline", `${uuid}\n`, "string"],
  ["a leading blank", ` ${uuid}`, "string"],
  ["a NUL", `${uuid.slice(0, -1)}\0`, "string"],
  ["non-ASCII digits", uuid.replaceAll("0", "０"), "string"],
  ["a million characters", "a".repeat(1_000_000), "string"],
  ["a URN", `urn:uuid:${uuid}`, "string"],
  ["SQL", `${uuid}' OR '1'='1`, "string"],
];

test.each(invalidIds)("reading refuses %s before it sends SQL", async (_, id, kind) => {
  const { result: error, statements } = await statementsOf(dataSource, () =>
    failureOf(service.readTaskRunState(dataSource.manager, id as string)),
  );
  expect(statements).toEqual([]);
  expect(error).toBeInstanceOf(InvalidUuidError);
  expect(error).toMatchObject({ name: "InvalidUuidError", parameter: "taskRunStateId", received: kind });
  expect((error as InvalidUuidError).message).toContain("taskRunStateId");
  expect((error as InvalidUuidError).message.length).toBeLessThan(250);
});

describe.each([
  ["readTaskRunState", "taskRunStateId"],
  ["readTaskRunStates", "taskRunId"],
  ["deleteTaskRunState", "taskRunStateId"],
] as const)("%s", (method, parameter) => {
  test.each([undefined, "x", Not(IsNull())])(
    "refuses %p before it sends SQL, and leaves the caller's transaction usable",
    async (id) => {
      await dataSource.transaction(async (manager) => {
        const kept = await record(manager);
        const { result: error, statements } = await statementsOf(dataSource, () =>
          failureOf(service[method](manager, id as string)),
        );
        expect(statements).toEqual([]);
        expect(error).toBeInstanceOf(InvalidUuidError);
        expect(error).toMatchObject({ parameter });
        expect(await manager.countBy(TaskRunState, { id: kept.id })).toBe(1);
      });
    },
  );
});

test("the error is a TypeError that names the parameter, what it expected and what it received", () => {
  const messageFor = (value: unknown) => new InvalidUuidError("taskRunId", value).message;
  const expected =
    'taskRunId must be a UUID string such as "019abd2c-7e00-7000-8000-000000000000", but received ';
  expect(new InvalidUuidError("taskRunId", undefined)).toBeInstanceOf(TypeError);
  expect(messageFor(undefined)).toBe(`${expected}undefined.`);
  expect(messageFor(null)).toBe(`${expected}null.`);
  expect(messageFor([uuid])).toBe(`${expected}array.`);
  expect(messageFor("x")).toBe(`${expected}string "x".`);
  expect(messageFor("postgres://app:secret@host/db")).toBe(`${expected}string of 29 characters.`);
  expect(messageFor("x".repeat(40))).toBe(`${expected}string "${"x".repeat(40)}".`);
  expect(messageFor("x".repeat(41))).toBe(`${expected}string "${"x".repeat(40)}…" of 41 characters.`);
  expect(messageFor(`${uuid}\n\0`)).toBe(`${expected}string "${uuid}\\n\\u0000".`);
});
