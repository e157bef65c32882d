import type { NextConfig } from "next";

export default { serverExternalPackages: ["typeorm", "typeorm-task-run-state"] } satisfies NextConfig;
