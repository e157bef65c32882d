const { jest } = require("../package.json");

process.env.RANDOM_HISTORIES = "10";

module.exports = { ...jest, rootDir: "..", testMatch: ["<rootDir>/test/mutation.ts"] };
