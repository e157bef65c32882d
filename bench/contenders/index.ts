import rootPackage from "../../package.json";
import type { Contender } from "../lib/contender";
import benchPackage from "../package.json";

/** The first one is the reference. A process loads the library of its own contender alone. */
export const CONTENDERS: Contender[] = [
  { name: "pg by hand", library: "pg", open: async (url) => (await import("./pg.js")).unnamed(url) },
  {
    name: "pg by hand, prepared",
    library: "pg",
    open: async (url) => (await import("./pg.js")).prepared(url),
  },
  {
    name: "this module",
    library: rootPackage.name,
    open: async (url) => (await import("./typeorm.js")).thisModule(url),
  },
  {
    name: "this module, prepared",
    library: rootPackage.name,
    open: async (url) => (await import("./typeorm.js")).thisModulePrepared(url),
  },
  { name: "TypeORM", library: "typeorm", open: async (url) => (await import("./typeorm.js")).typeorm(url) },
  {
    name: "TypeORM on this client",
    library: "typeorm",
    open: async (url) => (await import("./typeorm.js")).typeormOnThisClient(url),
  },
  { name: "Kysely", library: "kysely", open: async (url) => (await import("./kysely.js")).kysely(url) },
  {
    name: "Drizzle",
    library: "drizzle-orm",
    open: async (url) => (await import("./drizzle.js")).drizzle(url),
  },
  {
    name: "Sequelize",
    library: "sequelize",
    open: async (url) => (await import("./sequelize.js")).sequelize(url),
  },
  {
    name: "MikroORM",
    library: "@mikro-orm/postgresql",
    open: async (url) => (await import("./mikro-orm.js")).mikroOrm(url),
  },
  {
    name: "Prisma",
    library: "@prisma/client",
    open: async (url) => (await import("./prisma/index.js")).prisma(url),
  },
];

export function versionOf({ library }: Contender): string {
  const versions: Record<string, string> = {
    ...rootPackage.devDependencies,
    ...benchPackage.dependencies,
    [rootPackage.name]: rootPackage.version,
  };
  return versions[library] ?? "unknown";
}
