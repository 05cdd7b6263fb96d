/** What the command line says of errors: a stack is for bugs, and a person who could act on one must be told how. */

import { expect, it } from "vitest";
import { explain } from "../../training/command-line/explain-error.ts";

it("a local database that another command or the running instance has open is told as that, not as a bug", () => {
  // As seen where two commands changed roles of a running instance at once, and where one was read meanwhile.
  for (const said of [
    "D1_ERROR: Failed to get session commit token: internal error; reference = x",
    "D1_ERROR: database is locked: SQLITE_BUSY",
  ])
    expect(explain(new Error(said))).toMatch(/busy.*edgebook models list.*again/);
  expect(explain(new Error("D1_ERROR: no such table: models"))).toBeNull();
});
