/** Makes something of PostgreSQL's text: of a time `pg` a `Date`, and a host whatever it likes. */
type Parser = (text: string) => unknown;

/** Where `pg` looks for the parser of a type: in a client, or in what is given with a query. */
export interface Types {
  getTypeParser(oid: number, format?: string): Parser;
}

const TIMESTAMPTZ = 1184;

/** Of these `pg` makes plain dates. A host's own parser makes something else of one of them. */
const PROBES = ["1970-01-01 00:00:00+00", "2026-11-27 23:59:58.789999+00", "9999-12-31 23:59:59+00"];

const faster = new WeakMap<Parser, Parser>();

/**
 * The same types with a faster parser of timestamptz, where the parser is the one of `pg`: one that takes itself what
 * PostgreSQL writes in UTC for the years 100 to 9999.
 */
export function withFasterTimes(types: Types): Types {
  return {
    getTypeParser(oid, format) {
      const parse = types.getTypeParser(oid, format);
      return oid === TIMESTAMPTZ ? (faster.get(parse) ?? makeFaster(parse)) : parse;
    },
  };
}

function makeFaster(parse: Parser): Parser {
  const isOfPg = PROBES.every((text) => isDate(parse(text), Number(parseUtc(text))));
  const parser: Parser = isOfPg ? (text) => parseUtc(text) ?? parse(text) : parse;
  faster.set(parse, parser);
  return parser;
}

function isDate(value: unknown, milliseconds: number): boolean {
  return value instanceof Date && value.constructor === Date && value.getTime() === milliseconds;
}

const SPACE = " ".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

/** Reads `YYYY-MM-DD HH:MM:SS[.ffffff]+00`, and cuts microseconds as `pg` does. Undefined for any other text. */
function parseUtc(text: string): Date | undefined {
  if (text.charCodeAt(10) !== SPACE || !text.endsWith("+00")) return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  if (year < 100) return undefined; // `Date.UTC` takes it for a year of the 20th century.
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)];
  const [hour, minute, second] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, milliseconds(text)));
}

function twoDigits(text: string, start: number): number {
  return digit(text, start) * 10 + digit(text, start + 1);
}

function milliseconds(text: string): number {
  let milliseconds = 0;
  const end = text.length - "+00".length;
  for (let index = 20, unit = 100; index < end; index++, unit /= 10)
    milliseconds += digit(text, index) * unit;
  return milliseconds;
}

function digit(text: string, index: number): number {
  return text.charCodeAt(index) - ZERO;
}
