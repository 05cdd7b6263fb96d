/** A smoothed label flatters: on a random walk what the past alone explains of it is known by a formula, and has to come out. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSetV2 } from "../../../core/features/registry.ts";
import type { LabelKind } from "../../../core/labels/moves.ts";
import { Random } from "../../../core/math/random.ts";
import { scoreFreeLabels, withCommonRows } from "../../../training/compare/free-labels.ts";
import { planComparison } from "../../../training/compare/plan-comparison.ts";
import { type Dataset, readDataset } from "../../../training/datasets/dataset-reader.ts";
import { DatasetWriter } from "../../../training/datasets/dataset-writer.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { scratchFolder } from "../toy-data.ts";

const folder = scratchFolder();
const HORIZONS = [1_000, 5_000, 10_000];
const RETURN = /^mid_return_(\d+)s$/;

/** Ticks far from zero that walk at random; the only columns that tell anything are the mid's own past moves. */
async function walk(label: LabelKind): Promise<Dataset> {
  const path = join(folder, label);
  const writer = await DatasetWriter.create({ folder: path, featureSet: featureSetV2, horizonsMs: HORIZONS, label, command: ["test"] });
  const part = writer.openPart();
  const random = new Random(3);
  const ticks: number[] = [];
  for (let index = 0; index < 8_000; index++) {
    ticks.push((ticks.at(-1) ?? 1_000_000) + Math.round(20 * random.normal()));
    const now = ticks.at(-1) as number;
    const row = Float64Array.from(featureSetV2.columns, (name) => {
      const seconds = Number(RETURN.exec(name)?.[1] ?? 0);
      return now - (ticks[Math.max(0, index - seconds)] as number);
    });
    part.add({ featureTime: 1_767_225_600_000 + 1_000 * index, row, bidTicks: now, askTicks: now + 2, isWarm: true, segment: 0 });
  }
  await writer.closePart(part, { source: "walk", market: "toy:WALK", frames: ticks.length, malformedFrames: 0, gaps: {} });
  await writer.finish();
  return readDataset(path);
}

describe("labels beside each other", () => {
  it("give the formula's free R² of a smoothed label on a random walk, and nothing of an anchored or a point one", async () => {
    const datasets = [await walk("point"), await walk("anchored"), await walk("smoothed")];
    const [first] = datasets as [Dataset, ...Dataset[]];
    const { labelled } = planComparison([first], {
      models: [],
      cut: { kind: "share", fitShare: 0.6 },
      validationShare: 0.2,
      horizonsMs: HORIZONS,
      beside: datasets.slice(1),
    });
    const scores = await scoreFreeLabels(labelled?.data ?? [], {
      folds: labelled?.folds ?? [],
      runtime: await loadRuntime("node"),
      threads: 1,
    });
    const of = (label: LabelKind, horizonMs: number) => scores.find((score) => score.label === label && score.horizonMs === horizonMs);
    // (k-1)(2k-1) / [(k-1)(2k-1) + (k+1)(2k+1)]: 36 / 102 for 5 rows, 171 / 402 for 10.
    expect(of("smoothed", 5_000)?.free).toBeCloseTo(0.3529, 4);
    expect(of("smoothed", 10_000)?.free).toBeCloseTo(0.4254, 4);
    for (const horizonMs of [5_000, 10_000]) {
      const smoothed = of("smoothed", horizonMs);
      for (const id of ["momentum", "ridge"] as const) expect(Math.abs((smoothed?.r2[id] ?? 0) - (smoothed?.free ?? 1))).toBeLessThan(0.04);
    }
    for (const label of ["point", "anchored"] as const) {
      for (const horizonMs of HORIZONS) expect(of(label, horizonMs)?.r2.momentum, `${label} ${horizonMs}`).toBeLessThan(0.01);
    }
    // The same rows for all three.
    expect(new Set(scores.filter(({ horizonMs }) => horizonMs === 10_000).map(({ rows }) => rows)).size).toBe(1);
  });

  it("are refused where the rows are others, or a label comes twice", async () => {
    const point = await walk("point");
    expect(() => withCommonRows([point, point], HORIZONS)).toThrow(/two datasets have point targets/);
    const shifted: Dataset = { ...point, card: { ...point.card, label: "smoothed" }, times: point.times.map((time) => time + 1_000) };
    expect(() => withCommonRows([point, shifted], HORIZONS)).toThrow(/other rows/);
  });
});
