/**
 * What `npm run mutation` runs for each mutation: as one file, so that TypeORM is loaded once. Left out are the tests
 * that run the sources in processes of their own, where no mutation reaches, and those that load or break a server.
 */
const files = [
  "bad-input",
  "defaults",
  "existing-table",
  "invalid-ids",
  "migration",
  "order",
  "original-behaviours",
  "prefect-table",
  "prepared-statements",
  "prune",
  "recording-routes",
  "same-as-delete",
  "same-as-find",
  "transactions",
  "two-copies",
  "types",
];

for (const file of files) {
  describe(file, () => {
    require(`./${file}.test`);
  });
}
