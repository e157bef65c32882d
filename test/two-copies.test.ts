import { randomUUID } from "node:crypto";
import { Column, Entity, EntityMetadataNotFoundError, PrimaryColumn } from "typeorm";
import * as ours from "typeorm-task-run-state";

import { useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";

const database = useDatabase();

/** Another copy of this package on the same TypeORM, as npm installs it where two packages need different versions. */
function loadAnotherCopy(): typeof ours {
  let copy: typeof ours | undefined;
  const typeorm = jest.requireActual("typeorm");
  jest.isolateModules(() => {
    jest.doMock("typeorm", () => typeorm);
    copy = require("typeorm-task-run-state");
  });
  jest.dontMock("typeorm");
  if (!copy) throw new Error("The copy was not loaded.");
  return copy;
}

const theirs = loadAnotherCopy();
const service = new ours.TaskRunStateService();

@Entity()
class Note {
  @PrimaryColumn({ type: "int" })
  id!: number;

  @Column({ type: "varchar" })
  text!: string;
}

test("where the data source has the other copy's entity, the error says so and how to find the copies", async () => {
  expect(theirs.TaskRunState).not.toBe(ours.TaskRunState);
  const dataSource = await database.connect({ entities: [Note, theirs.TaskRunState], migrationsRun: false });
  const error = await failureOf(service.readTaskRunState(dataSource.manager, randomUUID()));
  expect(error).toBeInstanceOf(EntityMetadataNotFoundError);
  expect(error).toHaveProperty(
    "message",
    'No metadata for "TaskRunState" was found. The data source has another class for its table, such as the TaskRunState of ' +
      "another copy of this package: take entity, migrations and service from one copy. " +
      '"npm ls typeorm-task-run-state" lists the copies.',
  );
});

test("where the data source has other entities only, the error says what to add", async () => {
  const dataSource = await database.connect({ entities: [Note], migrationsRun: false });
  const error = await failureOf(service.readTaskRunState(dataSource.manager, randomUUID()));
  expect(error).toHaveProperty("message", expect.stringContaining("Add TaskRunState to the entities"));
});

test("the error of a malformed id is told by its code, also where the other copy threw it", async () => {
  const dataSource = await database.connect({ entities: [theirs.TaskRunState], migrationsRun: false });
  const error = await failureOf(new theirs.TaskRunStateService().readTaskRunState(dataSource.manager, "7"));
  expect(error).not.toBeInstanceOf(ours.InvalidUuidError);
  expect(error).toHaveProperty("code", "ERR_INVALID_UUID");
  expect(await failureOf(service.readTaskRunState(dataSource.manager, "7"))).not.toHaveProperty("code");
});
