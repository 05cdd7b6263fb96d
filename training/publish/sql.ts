/**
 * Statements as whole texts, for databases that are reached by a command line: no values can be bound there. Values get into a statement by the tag
 * alone, which writes each as a literal of SQLite, so that nothing in a value is ever read as SQL.
 *
 * https://sqlite.org/lang_expr.html#literal_values_constants_ (read 2026-11-27): in a text a quote is doubled, and nothing else means anything. NUL
 * ends a statement in some of SQLite's interfaces: a text with one is refused.
 */

/** Made by the tag, and by nothing else. */
export class Sql {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type SqlValue = string | number | null | Sql;

/** D1 takes no longer one (https://developers.cloudflare.com/d1/platform/limits/, read 2026-11-27). */
const MAX_STATEMENT_BYTES = 100_000;

/** @throws RangeError on a number that is no safe integer, a text with NUL, and statements that are too long. */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): Sql {
  const text = parts.reduce((before, part, index) => `${before}${literal(values[index - 1] ?? null)}${part}`);
  if (new TextEncoder().encode(text).length > MAX_STATEMENT_BYTES)
    throw new RangeError(`a statement of more than ${MAX_STATEMENT_BYTES} bytes`);
  return new Sql(text);
}

function literal(value: SqlValue): string {
  if (value === null) return "NULL";
  if (value instanceof Sql) return value.text;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} in a statement: a whole number is wanted`);
    return `${value}`;
  }
  if (value.includes("\0")) throw new RangeError("a text with NUL in a statement");
  return `'${value.replaceAll("'", "''")}'`;
}
