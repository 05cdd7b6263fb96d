/** What a comparison leaves in its folder: compare.json, the page and the tables for documents. compare.json is written last: who finds it finds all. */

import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import type { Comparison } from "./comparison.ts";
import { FITTED_MODELS } from "./fitted-store.ts";
import { comparisonMarkdown } from "./report/markdown.ts";

export const COMPARISON_FILE = "compare.json";
export const COMPARISON_PAGE = "report.html";
export const COMPARISON_TABLES = "tables.md";

/** @param command as it was typed. */
export async function writeComparison(folder: string, comparison: Comparison, command: string | null): Promise<void> {
  // What draws is large, and nothing else here needs it.
  const { comparisonPage } = await import("./report/comparison-page.ts");
  await makeFolder(folder);
  await writeFile(join(folder, COMPARISON_PAGE), comparisonPage(comparison));
  const targets = ["mid", "bid", "ask"].filter((target) => comparison.outputs.some((output) => output.target === target));
  const tables = targets.map((target, at) => comparisonMarkdown(comparison, { target, command: at === 0 ? command : null }));
  await writeFile(join(folder, COMPARISON_TABLES), tables.join("\n"));
  const path = join(folder, COMPARISON_FILE);
  await writeFile(`${path}.tmp`, `${JSON.stringify(comparison, null, 1)}\n`);
  await rename(`${path}.tmp`, path);
}

/** Also where a comparison was interrupted before its end. */
export async function holdsComparison(folder: string): Promise<boolean> {
  const found = await Promise.all([COMPARISON_FILE, FITTED_MODELS].map((name) => stat(join(folder, name)).catch(() => null)));
  return found.some((one) => one !== null);
}

/** compare.json first, so that no half of one is taken for a whole. Other files stay. */
export async function removeComparison(folder: string): Promise<void> {
  for (const name of [COMPARISON_FILE, COMPARISON_PAGE, COMPARISON_TABLES, FITTED_MODELS])
    await rm(join(folder, name), { force: true, recursive: true });
}

/** Null: there is none. Our own file, of which its format is looked at. */
export async function readComparison(folder: string): Promise<Comparison | null> {
  const text = await readFile(join(folder, COMPARISON_FILE), "utf8").catch(() => null);
  if (text === null) return null;
  const value: unknown = parseJson(text);
  return typeof value === "object" && value !== null && "format" in value && value.format === "edgebook-compare/1"
    ? (value as Comparison)
    : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
