const config = require("../jest.config.js");

process.env.RANDOM_HISTORIES = "10";

module.exports = {
  ...config,
  rootDir: "..",
  testMatch: ["<rootDir>/test/mutation.ts"],
  testEnvironment: require.resolve("./mutation.environment.cjs"),
  testTimeout: 10_000, // A mutation that keeps a connection would make each test wait for one.
};
