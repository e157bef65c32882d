/** @type {import("jest").Config} */
module.exports = {
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/.stryker-tmp"],
  globalSetup: "<rootDir>/test/support/global-setup.ts",
  globalTeardown: "<rootDir>/test/support/global-teardown.ts",
  moduleNameMapper: { "^typeorm-task-run-state$": "<rootDir>/src/index.ts" },
  transform: {
    "\\.ts$": [
      "@swc/jest",
      {
        jsc: {
          target: "es2022",
          parser: { syntax: "typescript", decorators: true },
          transform: { legacyDecorator: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  collectCoverageFrom: ["src/**/*.ts"],
  coverageThreshold: { global: { lines: 100, branches: 100, functions: 100, statements: 100 } },
  maxWorkers: "100%",
  testTimeout: 60_000, // .ci/run lets the tests share two cores with other parts.
};
