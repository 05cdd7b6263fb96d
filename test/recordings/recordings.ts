/** Where real recordings are read from, and why a test that needs them is skipped where they are not. */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const FOLDER = resolve(import.meta.dirname, "..", "..", "..", "shared", "data");

/** The path of a recording; null where the folder of recordings is absent. */
export function recording(path: string): string | null {
  const file = resolve(FOLDER, path);
  return existsSync(file) ? file : null;
}

/** Appended to the name of a test that is skipped. */
export const WITHOUT_RECORDINGS = "(skipped where ../shared/data is absent)";

export interface RecordedLine {
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly text: string;
}

/** Lines `<receive ns> <json>`. */
export function readNanosecondLines(file: string): RecordedLine[] {
  return gunzipSync(readFileSync(file))
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const space = line.indexOf(" ");
      return { receivedAt: Number(line.slice(0, space - 6)), text: line.slice(space + 1) };
    });
}
