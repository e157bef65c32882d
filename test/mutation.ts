/**
 * What `npm run mutation` runs for each mutation: as one file, so that TypeORM is loaded once. Left out are the tests
 * that run the sources in processes of their own, where no mutation reaches, and those that load or break a server.
 */
const files = [
  "bad-input",
  "existing-table",
  "invalid-ids",
  "migration",
  "order",
  "service",
  "own-columns",
  "prefect-table",
  "prepared-statements",
  "prune",
  "read-latest-task-run-states",
  "record-task-run-states",
  "recording",
  "same-as-find-and-delete",
  "same-as-insert",
  "times",
  "transactions",
  "two-copies",
  "types",
];

for (const file of files) {
  describe(file, () => {
    require(`./${file}.test`);
  });
}
