import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";

interface Neighbour {
  /** Its host in the folder `neighbours`. */
  host: string;
  /** What the host installs besides the packed package and `pg`. */
  packages: string[];
  /** Whether it runs without `--all` too. */
  quick?: boolean;
}

const typeorm = "typeorm@1.1.1";
const compiler = ["typescript@5.9.3", "@types/node@20.19.43"];
const nest = (version: string, integration: string) => [
  typeorm,
  "rxjs@7.8.2",
  ...["common", "core", "platform-express"].map((part) => `@nestjs/${part}@${version}`),
  `@nestjs/typeorm@${integration}`,
];
const apollo = [
  "@apollo/server@5.5.1",
  "@as-integrations/express5@1.1.2",
  "graphql@16.15.0",
  "graphql-type-json@0.3.2",
];

const neighbours: Neighbour[] = [
  {
    host: "typeorm-cursor-pagination.ts",
    packages: ["typeorm@0.3.31", "typeorm-cursor-pagination@0.10.1"],
    quick: true,
  },
  {
    host: "nestjs-paginate.ts",
    packages: [...nest("11.2.10", "11.0.3"), "@nestjs/swagger@11.4.0", "nestjs-paginate@15.0.1"],
  },
  {
    host: "nestjs-query.ts",
    packages: [
      ...nest("11.2.10", "11.0.3"),
      ...apollo,
      ...["core", "graphql", "typeorm"].map((part) => `@ptc-org/nestjs-query-${part}@9.5.0`),
      "@nestjs/graphql@13.4.4",
      "@nestjs/apollo@13.4.5",
      "graphql-subscriptions@3.0.0",
      "class-transformer@0.5.1",
      "class-validator@0.14.4",
    ],
  },
  {
    host: "adminjs.ts",
    packages: [
      "typeorm@0.3.31",
      "adminjs@7.8.17",
      "@adminjs/typeorm@5.0.1",
      "@adminjs/express@6.1.1",
      "express@4.22.1",
      "@types/express@4.17.25",
      "express-formidable@1.2.0",
      "express-session@1.19.0",
      "tslib@2.9.1",
    ],
  },
  { host: "nestjs-swagger.ts", packages: [...nest("12.5.1", "12.0.2"), "@nestjs/swagger@12.0.2"] },
  {
    host: "nestjs-graphql.ts",
    packages: [...nest("12.5.1", "12.0.2"), ...apollo, "@nestjs/graphql@14.0.3", "@nestjs/apollo@14.0.3"],
  },
  {
    host: "serializers.ts",
    packages: [typeorm, "class-transformer@0.5.1", "superjson@2.2.7", "devalue@6.0.3"],
  },
  { host: "pg-boss.ts", packages: [typeorm, "pg-boss@12.38.0"] },
  { host: "graphile-worker.ts", packages: [typeorm, "graphile-worker@0.18.0"] },
  { host: "typeorm-extension.ts", packages: [typeorm, "typeorm-extension@4.2.0"] },
  {
    host: "opentelemetry.cjs",
    packages: [
      typeorm,
      "@opentelemetry/api@1.9.1",
      "@opentelemetry/instrumentation@0.222.0",
      "@opentelemetry/instrumentation-pg@0.74.0",
      "@opentelemetry/instrumentation-typeorm@0.22.0",
      "@opentelemetry/sdk-trace-node@2.12.1",
    ],
  },
];

/** Uses the packed package beside each library that applications have, in a host of its own. */
export async function useBesideNeighbours(
  folder: string,
  tarball: string,
  serverUrl: string,
  all: boolean,
): Promise<void> {
  for (const { host, packages, quick } of neighbours) {
    if (!quick && !all) continue;
    const [name = ""] = host.split(".");
    const directory = join(folder, `beside-${name}`);
    await useNewDatabase(serverUrl, name);
    await check(`beside ${name}`, () => {
      mkdirSync(directory);
      for (const file of [host, "history.ts", "tsconfig.json"]) {
        cpSync(join(__dirname, "neighbours", file), join(directory, file));
      }
      writeFileSync(join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }));
      install(directory, "--ignore-scripts", tarball, "pg@8.23.1", ...compiler, ...packages);
      npm(directory, "exec", "--", "tsc");
      npm(directory, "exec", "--", "node", host.endsWith(".ts") ? `dist/${name}.js` : host);
    });
  }
}
