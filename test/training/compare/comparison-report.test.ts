/** What people read of a comparison: no model missing, nothing fetched, and a code that is on only where it pays. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { featureSetLevels10 } from "../../../core/features/registry.ts";
import { codedVerdicts } from "../../../training/compare/coded-verdict.ts";
import { compareModels } from "../../../training/compare/compare-models.ts";
import type { ComparedResult, Comparison } from "../../../training/compare/comparison.ts";
import { comparisonMarkdown } from "../../../training/compare/report/markdown.ts";
import { holdsComparison, readComparison, removeComparison, writeComparison } from "../../../training/compare/written-comparison.ts";
import { scratchFolder } from "../toy-data.ts";
import { asSet, comparisonOf, modelsNamed, toyDataset } from "./comparing.ts";

const folder = scratchFolder();
const out = join(folder, "compared");
let comparison: Comparison;

beforeAll(async () => {
  const toy = await toyDataset(folder);
  const models = modelsNamed("persistence", "last-label", "ridge", "trees", "coded-mlp", "plain-mlp");
  comparison = await compareModels(await comparisonOf([toy, asSet(toy, featureSetLevels10)], { out, models }));
  await writeComparison(out, comparison, "npx edgebook compare --data <data>");
}, 60_000);

describe("the page", () => {
  it("holds every model, and its policy and its content fetch nothing", () => {
    const page = readFileSync(join(out, "report.html"), "utf8");
    for (const { id } of comparison.models) expect(page).toContain(`>${id}</span>`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<link|src=|https?:\/\/(?!www\.w3\.org)/);
  });
});

describe("the tables for documents", () => {
  it("say by which command they were made, and hold a line of as many cells for each model", () => {
    const text = comparisonMarkdown(comparison, { target: "mid", command: "npx edgebook compare --data data" });
    expect(text.split("\n").slice(0, 3)).toEqual(["```", "npx edgebook compare --data data", "```"]);
    const rows = text.split("\n").filter((line) => line.startsWith("| "));
    expect(rows).toHaveLength(2 + comparison.models.length + 1);
    expect(new Set(rows.map((row) => row.split("|").length)).size).toBe(1);
  });
});

describe("compare.json", () => {
  it("is read back as it was written, and what is no comparison is none", async () => {
    expect(await readComparison(out)).toEqual(JSON.parse(JSON.stringify(comparison)));
    expect(await readComparison(folder)).toBeNull();
  });

  it("and the models beside it are taken away together, by whoever says to replace them, and nothing else is", async () => {
    const other = join(folder, "replaced");
    expect(await holdsComparison(other)).toBe(false);
    mkdirSync(join(other, "models", "ridge"), { recursive: true });
    writeFileSync(join(other, "notes.txt"), "mine");
    expect(await holdsComparison(other)).toBe(true);
    await writeComparison(other, comparison, null);
    await removeComparison(other);
    expect(await holdsComparison(other)).toBe(false);
    expect(readdirSync(other)).toEqual(["notes.txt"]);
  });

  it("tells what each served file costs: its bytes, its time, its memory", () => {
    const costs = (id: string) => comparison.models.find((model) => model.id === id)?.costs.served;
    for (const id of ["ridge", "trees", "plain-mlp"]) {
      expect(costs(id)?.bytes, id).toBe(readFileSync(join(out, "models", id, "fold-1", "model.onnx")).length);
      expect(costs(id)?.medianMicroseconds).toBeGreaterThan(0);
    }
    expect(costs("persistence")).toBeNull();
  });
});

describe("the autoencoder", () => {
  it("is on by default only where it is faster at no loss of skill", () => {
    const of = (id: string, microseconds: number, r2: number): ComparedResult =>
      ({
        id,
        scores: [{ target: "mid", horizonMs: 1_000, r2 }],
        costs: { fitSeconds: 1, served: { medianMicroseconds: microseconds } },
      }) as unknown as ComparedResult;
    const verdict = (coded: [number, number], plain: [number, number]): boolean | undefined =>
      codedVerdicts([of("coded-lstm", ...coded), of("plain-lstm", ...plain)])[0]?.isOnByDefault;
    expect(verdict([100, 0.2], [200, 0.2])).toBe(true);
    expect(verdict([100, 0.19], [200, 0.2])).toBe(false);
    expect(verdict([200, 0.25], [200, 0.2])).toBe(false);
  });

  it("is told of beside its twin in the comparison", () => {
    expect(comparison.coded.map(({ coded, plain }) => [coded, plain])).toEqual([["coded-mlp", "plain-mlp"]]);
  });
});
