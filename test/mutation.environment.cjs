const { TestEnvironment } = require("jest-environment-node");

/** Skips what is left when a test has failed: the mutation is noticed, and Stryker itself would run all of it. */
module.exports = class extends TestEnvironment {
  failed = false;

  handleTestEvent({ name, test, describeBlock }) {
    if (test?.errors.length > 0) this.failed = true;
    else if (this.failed && name === "test_start") test.mode = "skip";
    else if (this.failed && name === "run_describe_start") describeBlock.mode = "skip";
  }
};
