#!/bin/sh
# Where a constant object and a type share a name, which is the usual way to do without `enum`, swc and tsc emit different
# `design:type` for a property of that type from another file: tsc String, swc the object itself. So an entity of TypeORM
# whose `@Column()` leaves its type to the metadata works under tsc, and with `decoratorMetadata` of swc
# the data source does not initialize: DataTypeNotSupportedError. A readonly array is Array to tsc, and Object to swc. With
# the column's type written out, both work.
# Versions: @swc/core 1.16.18, TypeScript 5.9.3, TypeORM 1.1.1, sql.js 1.13.0. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "commonjs" }' >package.json
npm install --silent --no-audit --no-fund @swc/core@1.16.18 typescript@5.9.3 typeorm@1.1.1 sql.js@1.13.0 reflect-metadata@0.2.2
mkdir src
cat >src/color.ts <<'PROGRAM'
export const Color = { RED: "RED", BLUE: "BLUE" } as const;
export type Color = keyof typeof Color;
PROGRAM
cat >src/car.ts <<'PROGRAM'
import { Column, Entity, PrimaryColumn } from "typeorm";
import { Color } from "./color";

@Entity()
export class Car {
  @PrimaryColumn()
  id!: number;

  @Column()
  color!: Color;

  @Column({ type: "simple-array" })
  doors!: readonly string[];
}
PROGRAM
cat >compile.js <<'PROGRAM'
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const swc = require("@swc/core");
const ts = require("typescript");

const options = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  useDefineForClassFields: false,
  outDir: "tsc",
};
ts.createProgram(["src/car.ts"], options).emit();

const transform = { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false };
const parser = { syntax: "typescript", decorators: true };
mkdirSync("swc");
for (const name of ["car", "color"]) {
  const code = readFileSync(`src/${name}.ts`, "utf8");
  const compiled = swc.transformSync(code, { module: { type: "commonjs" }, jsc: { target: "es2022", parser, transform } });
  writeFileSync(`swc/${name}.js`, compiled.code);
}
PROGRAM
cat >finding.js <<'PROGRAM'
const { DataSource } = require("typeorm");

async function main() {
  const outcomes = {};
  for (const compiler of ["tsc", "swc"]) {
    const { Car } = require(`./${compiler}/car.js`);
    const types = ["color", "doors"].map((name) => Reflect.getMetadata("design:type", Car.prototype, name));
    const outcome = await new DataSource({ type: "sqljs", entities: [Car] }).initialize().then(
      () => "initializes",
      ({ name, message }) => `${name}: ${message}`,
    );
    console.log(`${compiler}:`, types, outcome);
    outcomes[compiler] = { types, outcome };
  }
  const { Color } = require("./swc/color.js");
  const { tsc, swc } = outcomes;
  const asStated =
    tsc.types[0] === String && tsc.types[1] === Array && tsc.outcome === "initializes" &&
    swc.types[0] === Color && swc.types[1] === Object && swc.outcome.startsWith("DataTypeNotSupportedError");
  process.exitCode = asStated ? 0 : 1;
}

main();
PROGRAM
node compile.js
node finding.js
