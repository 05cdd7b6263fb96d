/** Small datasets with known answers, written by the project's own writer. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { LabelKind } from "../../core/labels/moves.ts";
import { Random } from "../../core/math/random.ts";
import type { DatasetCard } from "../../training/datasets/card.ts";
import { DatasetWriter } from "../../training/datasets/dataset-writer.ts";
import { type NetworkRun, readRun } from "../../training/train/run-folder.ts";

/** Short enough for a few hundred rows to have targets at each. */
export const TOY_HORIZONS_MS: readonly number[] = [1_000, 5_000, 10_000, 30_000];

const START = 1_767_225_600_000;

/** A folder that is gone when the test file is done. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edgebook-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder's run, which has to be one of a network. */
export async function readNetworkRun(folder: string): Promise<NetworkRun> {
  const run = await readRun(folder);
  if (run.kind !== "network") throw new Error(`${folder} holds a run of ${run.kind}`);
  return run;
}

export interface ToyMarket {
  readonly rows: number;
  readonly seed: number;
  /** Share of each second's move that the first column tells of beforehand: 0 is a random walk. */
  readonly signal: number;
  /** What a row tells of the move; its first column unless given. */
  readonly effect?: (row: Float64Array) => number;
  readonly market?: string;
  readonly source?: string;
  readonly startTime?: number;
  /** Row at which a new segment starts; none unless given. */
  readonly gapAt?: number;
  /** Changes a finished row, e.g. to plant a constant or a NaN. */
  readonly spoil?: (row: Float64Array, index: number) => void;
}

/** Writes a dataset of random rows whose first column foretells the mid's next move. */
export async function writeToyDataset(
  folder: string,
  markets: readonly ToyMarket[],
  {
    featureSet = featureSetV1,
    label = "point",
    horizonsMs = TOY_HORIZONS_MS,
  }: { featureSet?: FeatureSet; label?: LabelKind; horizonsMs?: readonly number[] } = {},
): Promise<DatasetCard> {
  const writer = await DatasetWriter.create({ folder, featureSet, horizonsMs, label, command: ["test"] });
  for (const toy of markets) {
    const part = writer.openPart();
    const random = new Random(toy.seed);
    const effect = toy.effect ?? ((row: Float64Array) => row[0] as number);
    const row = new Float64Array(featureSet.columns.length);
    let ticks = 100_000;
    for (let index = 0; index < toy.rows; index++) {
      for (let column = 0; column < row.length; column++) row[column] = random.normal();
      toy.spoil?.(row, index);
      const isAfterGap = toy.gapAt !== undefined && index >= toy.gapAt;
      part.add({
        featureTime: (toy.startTime ?? START) + (index + (isAfterGap ? 100 : 0)) * 1_000,
        row,
        bidTicks: ticks,
        askTicks: ticks + 2,
        isWarm: true,
        segment: isAfterGap ? 1 : 0,
      });
      ticks += Math.round(10 * (toy.signal * effect(row) + (1 - toy.signal) * random.normal()));
    }
    await writer.closePart(part, {
      source: toy.source ?? "toy",
      market: toy.market ?? "toy:MARKET",
      frames: toy.rows,
      malformedFrames: 0,
      gaps: {},
    });
  }
  return writer.finish();
}
