/** What the documents say of the archive is what it does. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { tablesMarkdown } from "../../archive/export/tables-markdown.ts";
import { importers } from "../../archive/import/registry.ts";

function document(path: string): string {
  return readFileSync(resolve(import.meta.dirname, "..", "..", "docs", path), "utf8");
}

it("docs/data.md shows the tables as they are (archive/export/tables-markdown.ts prints them)", () => {
  expect(document("data.md")).toContain(tablesMarkdown());
});

it("the recipe names every format that comes in", () => {
  const recipe = document("recipes/export-your-data.md");
  for (const { format } of importers) expect(recipe).toContain(`| ${format} |`);
});
