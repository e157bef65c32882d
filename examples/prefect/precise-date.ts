import { types } from "pg";

/** A `Date` that shows the microseconds of PostgreSQL in `toISOString`, and so in JSON. */
class PreciseDate extends Date {
  constructor(
    date: Date,
    private readonly fraction: string,
  ) {
    super(date);
  }

  override toISOString(): string {
    return super.toISOString().replace(/\d{3}Z$/, `${this.fraction.padEnd(6, "0")}Z`);
  }
}

/** The parsers of `pg`, but for those of times: a `Date` alone would cut them to milliseconds. */
export const preciseTypes = {
  getTypeParser(oid: number, format: "text" | "binary" = "text") {
    const parse = types.getTypeParser(oid, format);
    if (oid !== types.builtins.TIMESTAMPTZ) return parse;
    return (text: string) => new PreciseDate(parse(text), /\.(\d+)/.exec(text)?.[1] ?? "");
  },
};
