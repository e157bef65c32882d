import { DataTypes, Sequelize } from "sequelize";
import { uuidv7 } from "uuidv7";

import { StateType } from "../../dist";
import { type NewState, POOL_SIZE, type Session, type State } from "../lib/contender";

/** It has no default here: the INSERT then returns the database's, which it would not do for an expression. */
const time = DataTypes.DATE(6);

/** Reads ask for plain objects (`raw`), the faster of its two ways. */
export async function sequelize(url: string): Promise<Session> {
  const db = new Sequelize(url, {
    dialect: "postgres",
    logging: false,
    pool: { min: POOL_SIZE, max: POOL_SIZE },
  });
  const TaskRunState = db.define(
    "TaskRunState",
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      created: time,
      updated: time,
      type: { type: DataTypes.ENUM(...Object.values(StateType)), allowNull: false },
      timestamp: time,
      name: { type: DataTypes.STRING, allowNull: false },
      message: DataTypes.STRING,
      stateDetails: { type: DataTypes.JSONB, field: "state_details", allowNull: false },
      data: DataTypes.JSONB,
      taskRunId: { type: DataTypes.UUID, field: "task_run_id", allowNull: false },
      resultArtifactId: { type: DataTypes.UUID, field: "result_artifact_id" },
    },
    { tableName: "task_run_state", timestamps: false },
  );
  const asState = (found: unknown) => found as State;
  return {
    read: async (id) => asState(await TaskRunState.findByPk(id, { raw: true })),
    async list(taskRunId) {
      const states = await TaskRunState.findAll({
        where: { taskRunId },
        order: ["timestamp", "id"],
        raw: true,
      });
      return states.map(asState);
    },
    delete: async (id) => (await TaskRunState.destroy({ where: { id } })) === 1,
    record: async (state) => (await TaskRunState.create(row(state))).get({ plain: true }),
    async recordAll(states) {
      const stored = await TaskRunState.bulkCreate(states.map(row), { returning: true });
      return stored.map((state) => state.get({ plain: true }));
    },
  };
}

function row(state: NewState) {
  return { ...state, id: uuidv7() };
}
