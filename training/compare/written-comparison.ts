/** compare.json of a folder: our own file, of which its format is looked at. */

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import type { Comparison } from "./comparison.ts";

const FILE = "compare.json";

export async function writeComparison(folder: string, comparison: Comparison): Promise<void> {
  await makeFolder(folder);
  const path = join(folder, FILE);
  await writeFile(`${path}.tmp`, `${JSON.stringify(comparison, null, 1)}\n`);
  await rename(`${path}.tmp`, path);
}

/** Null: there is none. */
export async function readComparison(folder: string): Promise<Comparison | null> {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => null);
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
