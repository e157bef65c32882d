#!/bin/sh
# nestjs-cls 7.0.0 cannot be installed beside its own plugin: @nestjs-cls/transactional 3.3.0, the newest, takes nestjs-cls from
# 6.3.0 on, and not 7. Whoever installs both without versions is refused by npm (ERESOLVE). With nestjs-cls@6 the same command
# works, and 6.3.1 takes NestJS 10 to 12, as 7.0.0 does.
# Versions: as above, @nestjs-cls/transactional-adapter-typeorm 1.4.1, NestJS 12.5.1, npm 11.19.1. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true }' >package.json
try() {
  if npm install --dry-run --ignore-scripts --no-audit --no-fund "nestjs-cls@$1" @nestjs-cls/transactional@3.3.0 \
    @nestjs-cls/transactional-adapter-typeorm@1.4.1 @nestjs/common@12.5.1 @nestjs/core@12.5.1 @nestjs/typeorm@12.0.2 \
    typeorm@1.1.1 rxjs@7.8.2 reflect-metadata@0.2.2 >log 2>&1; then
    outcome=installs
  else
    outcome=$(sed -n 's/^npm error code //p' log)
  fi
  echo "nestjs-cls $1: $outcome"
  test "$outcome" = "$2"
}
try 7.0.0 ERESOLVE
try 6.3.1 installs
