#!/bin/sh
# TypeORM's command line, started with node alone, loads a data-source.ts whose only TypeScript is its name in turns: in a
# package of "type": "commonjs" Node.js 20.19 loads it, and 22, 24 and 26 refuse it; in one of "type": "module" it is the
# other way round. TypeORM chooses `require` or `import` by the type of the package. For 20.19 a file that is required is
# JavaScript, whatever its extension, and it may turn out to be a module. Newer lines strip types, and let a .ts file be
# only what its package says. So an update of Node.js breaks the first package, and mends the second.
# Versions: TypeORM 1.1.1, Node.js 20.19.0, 22.23.3, 24.21.0, 26.10.0 (npm packages for Linux). Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
arch=$(node --print process.arch)
npm init --yes >init.log
npm install --silent --no-audit --no-fund typeorm@1.1.1 reflect-metadata@0.2.2 sql.js@1.13.0
cat >data-source.ts <<'PROGRAM'
import { DataSource } from "typeorm";

export default new DataSource({ type: "sqljs", entities: [], migrations: [] });
PROGRAM
status=0
for version in 20.19.0 22.23.3 24.21.0 26.10.0; do
  npm install --silent --no-audit --no-fund --prefix "node-$version" "node-linux-$arch@$version"
  for type in commonjs module; do
    npm pkg set "type=$type"
    seen=refused
    "node-$version/node_modules/.bin/node" node_modules/typeorm/cli.js migration:show -d data-source.ts >log 2>&1 && seen=loaded
    echo "Node.js $version, \"type\": \"$type\": $seen"
    case "$version $type" in
      20*commonjs | 2[246]*module) [ "$seen" = loaded ] || status=1 ;;
      *) [ "$seen" = refused ] || status=1 ;;
    esac
    if [ "$seen" = refused ]; then grep -m 1 -o 'ERR_[A-Z_]*\|Cannot use import[a-z ]*\|Unexpected token.*' log || true; fi
  done
done
exit $status
