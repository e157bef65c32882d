import { CreateTaskRunState1795305600000 } from "./migrations/1795305600000-CreateTaskRunState";

/** Every migration of this package, for a data source's `migrations`: a later one arrives without an edit. */
export const migrations = [CreateTaskRunState1795305600000];
