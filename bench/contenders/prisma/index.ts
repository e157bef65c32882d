import { PrismaPg } from "@prisma/adapter-pg";
import { uuidv7 } from "uuidv7";

import { type NewState, poolOptions, type Session, type State } from "../../lib/contender";
import { Prisma, PrismaClient } from "./generated/client";

/** `bench/install.ts` generates `./generated` from `schema.prisma`. */
export async function prisma(url: string): Promise<Session> {
  const client = new PrismaClient({ adapter: new PrismaPg(poolOptions(url)) });
  const states = client.taskRunState;
  const asState = (found: unknown) => found as State;
  return {
    // Prisma joins the calls of one turn of the event loop into one statement, so it sends fewer statements.
    read: async (id) => asState(await states.findUnique({ where: { id } })),
    async list(taskRunId) {
      const found = await states.findMany({
        where: { taskRunId },
        orderBy: [{ timestamp: "asc" }, { id: "asc" }],
      });
      return found.map(asState);
    },
    delete: async (id) => (await states.deleteMany({ where: { id } })).count === 1,
    record: async (state) => asState(await states.create({ data: row(state) })),
    recordAll: async (all) => (await states.createManyAndReturn({ data: all.map(row) })).map(asState),
  };
}

function row(state: NewState): Prisma.TaskRunStateCreateManyInput {
  return {
    ...state,
    id: uuidv7(),
    type: state.type as Prisma.TaskRunStateCreateManyInput["type"],
    data: state.data === null ? Prisma.DbNull : (state.data as Prisma.InputJsonValue),
  };
}
