import type { EntityManager } from "typeorm";

/**
 * Records histories of so many states, one second apart: task run `n` begins `n` minutes after 2025 did. All of them end as
 * COMPLETED, but every tenth is still RUNNING. An id begins with its state's time. The rows lie scattered over the table.
 */
export function fillHistories(
  manager: EntityManager,
  { runs, states, first = 0 }: { runs: number; states: number; first?: number },
): Promise<unknown> {
  return manager.query(
    `INSERT INTO task_run_state (id, task_run_id, type, timestamp, name)
     SELECT overlay(gen_random_uuid()::text PLACING substr(hex, 1, 8) || '-' || substr(hex, 9) FROM 1 FOR 13)::uuid,
       md5('task run ' || run)::uuid, type::task_run_state_type, timestamp, initcap(type)
     FROM generate_series($3::int, $3::int + $1::int - 1) run
     CROSS JOIN generate_series(1, $2::int) state
     CROSS JOIN LATERAL (VALUES (
       timestamptz '2025-01-01Z' + run * interval '1 minute' + state * interval '1 second',
       CASE WHEN state = 1 THEN 'PENDING' WHEN state < $2 OR run % 10 = 0 THEN 'RUNNING' ELSE 'COMPLETED' END
     )) row (timestamp, type)
     CROSS JOIN LATERAL (VALUES (lpad(to_hex((extract(epoch FROM timestamp) * 1000)::bigint), 12, '0'))) time (hex)
     ORDER BY random()`,
    [runs, states, first],
  );
}
