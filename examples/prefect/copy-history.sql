INSERT INTO history.task_run_state
  (id, created, updated, type, timestamp, name, message, state_details, data, task_run_id, result_artifact_id)
SELECT state.id, state.created, state.updated, state.type::text::history.task_run_state_type, state.timestamp,
  state.name, state.message, state.state_details, coalesce(nullif(state.data, 'null'), artifact.data::jsonb),
  state.task_run_id, state.result_artifact_id
FROM public.task_run_state state
LEFT JOIN public.artifact ON artifact.id = state.result_artifact_id
ON CONFLICT (id) DO NOTHING;
