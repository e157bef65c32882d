const { jest } = require("../package.json");

process.env.RANDOM_HISTORIES = "10";

module.exports = {
  ...jest,
  rootDir: "..",
  testMatch: ["<rootDir>/test/mutation.ts"],
  testEnvironment: require.resolve("./mutation.environment.cjs"),
  testTimeout: 10_000, // A mutation that keeps a connection would make each test wait for one.
};
