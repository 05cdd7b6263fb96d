/** Values become SQL by one function: one that could be read as a statement would be run with the account's login. */

import "../../property-seed.ts";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sql } from "../../../training/publish/sql.ts";

describe("a statement", () => {
  it("has each value as a literal, and other statements as they are", () => {
    expect(sql`SELECT ${"it's"}, ${5}, ${-5}, ${null} FROM ${sql`t`}`.text).toBe("SELECT 'it''s', 5, -5, NULL FROM t");
    expect(sql`SELECT ${"'; DROP TABLE models; --"}`.text).toBe("SELECT '''; DROP TABLE models; --'");
  });

  it("gives back any text as it was, whatever it holds", () => {
    const database = new DatabaseSync(":memory:");
    const anything = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom("'", "''", '"', "\\", ";", "--", "/*", "\n", "?", "$1", "${", "`") }),
    );
    fc.assert(
      fc.property(anything, fc.maxSafeInteger(), (text, number) => {
        fc.pre(!text.includes("\0"));
        expect({
          ...database.prepare(sql`SELECT ${text} AS text, ${text} AS again, CAST(${number} AS TEXT) AS number`.text).get(),
        }).toEqual({
          text,
          again: text,
          number: `${number}`,
        });
      }),
    );
  });

  it("refuses what SQLite would read otherwise, and what D1 wouldn't take", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 0.5, 2 ** 53])
      expect(() => sql`SELECT ${value}`).toThrow("a whole number is wanted");
    expect(() => sql`SELECT ${"a\0b"}`).toThrow("NUL");
    expect(() => sql`SELECT ${"é".repeat(50_000)}`).toThrow("more than 100000 bytes");
  });
});
