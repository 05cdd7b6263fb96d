/** `edgebook explain` as a person runs it: what is named first has to be what the answer rests on. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const run = promisify(execFile);
const folder = scratchFolder();
const data = join(folder, "data");
const MAIN = new URL("../../training/command-line/main.ts", import.meta.url).pathname;
/** The toy's first column foretells the next move. */
const [FIRST] = featureSetV1.columns;

async function edgebook(...given: string[]): Promise<string> {
  return (await run(process.execPath, [MAIN, ...given])).stdout;
}

beforeAll(async () => {
  await writeToyDataset(data, [{ rows: 1_600, seed: 31, signal: 0.5 }]);
});

describe("explain", () => {
  it.each(["moves", "classes"])("of %s names the column with the signal first, in all and for each answer", async (answer) => {
    const out = join(folder, answer);
    const settings = ["--rounds", "12", "--learning-rate", "0.2", "--leaf-rows", "20", "--only", "mid@1000", "--workers", "1"];
    await edgebook("train", "--model", "trees", "--answer", answer, "--data", data, "--out", out, ...settings);
    const { importance, shap } = JSON.parse(await edgebook("explain", "--run", out, "--rows", "60", "--json"));
    expect(importance.map(({ measure }: { measure: string }) => measure)).toHaveLength(3);
    expect(shap).toMatchObject({ rows: 60, unit: answer === "moves" ? "bps" : "logits", columns: featureSetV1.columns });
    const labels = answer === "moves" ? ["mid in 1 s"] : ["mid in 1 s: down", "mid in 1 s: flat", "mid in 1 s: up"];
    expect(shap.outputs.map(({ name }: { name: string }) => name)).toEqual(labels);
    // A class in the middle is known by the size of a move, of which the column tells little.
    for (const { name, meanSizes } of shap.outputs) {
      if (!name.endsWith("flat")) expect(shap.columns[meanSizes.indexOf(Math.max(...meanSizes))], name).toBe(FIRST);
    }
    const text = await edgebook("explain", "--run", out, "--rows", "60");
    const [, firstRow] = text.split("\n").filter((line) => line.startsWith("│"));
    expect(firstRow).toContain(FIRST);
    expect(text).toContain(`mean |SHAP| over 60 validation rows, in ${answer === "moves" ? "bps" : "logits"}`);
  });

  it("of a run without trees is refused, and the way to see that run's weights is named", async () => {
    const out = join(folder, "lines");
    await edgebook("train", "--model", "linear", "--data", data, "--out", out);
    await expect(edgebook("explain", "--run", out)).rejects.toThrow(/this is a run of lines.*explain takes runs of trees/);
  });

  it("read by what has seen enough, as head has, ends well: a stack would hide that all was done", async () => {
    const child = spawn(process.execPath, [MAIN, "runs", folder], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let told = "";
    child.stderr.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    const [code] = await once(child, "close");
    expect([code, told]).toEqual([0, ""]);
  });
});
