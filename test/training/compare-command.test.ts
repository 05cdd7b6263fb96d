/** `edgebook compare` as it is typed: what is mistyped costs a sentence, not the hours that lie in the folder. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV2 } from "../../core/features/registry.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
const folder = scratchFolder();
const [data, out] = [join(folder, "data"), join(folder, "out")];
const compare = (...words: string[]) =>
  spawnSync(process.execPath, [MAIN, "compare", "--data", data, "--out", out, ...words], { encoding: "utf8" });

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 600, seed: 3, signal: 0.5 }], { featureSet: featureSetV2, horizonsMs: [1_000] });
  const told = compare("--models", "persistence,ridge");
  if (told.status !== 0) throw new Error(told.stderr);
}, 60_000);

describe("what is mistyped", () => {
  it.each([
    ["a horizon that is no number", ["--only", "x"], "a number above 0 is wanted"],
    ["a model that isn't there", ["--models", "rigde"], 'there is no model "rigde"'],
    ["a horizon that the data lack", ["--only", "7"], "the data have no moves over 7 s"],
    ["a day that leaves nothing to score", ["--fit-until", "2036-01-01"], "rows are left for test"],
  ])("%s is told in a sentence, and --overwrite has taken nothing away by then", (_, words, sentence) => {
    const told = compare(...words, "--overwrite");
    expect([told.status, told.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(told.stderr).not.toContain("    at ");
    expect(existsSync(join(out, "compare.json"))).toBe(true);
  });
});
