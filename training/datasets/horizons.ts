/**
 * A dataset with some of its horizons alone: what is trained on it answers these, and is purged by the longest of them. Rows, features and the name of
 * the dataset stay; only targets are left out.
 */

import { horizonFault, horizonsOf } from "../../core/labels/horizons.ts";
import { CommandError } from "../command-error.ts";
import type { DatasetCard } from "./card.ts";
import type { Dataset } from "./dataset-reader.ts";

/** "1000,5000" as `--horizons` takes it. Throws CommandError with what is wrong. */
export function parseHorizons(text: string): number[] {
  const horizonsMs = text.split(",").map((part) => (/^\d{1,9}$/.test(part.trim()) ? Number(part) : Number.NaN));
  const fault = horizonFault(horizonsMs);
  if (fault !== null) throw new CommandError(`--horizons ${text}: ${fault}`);
  return horizonsMs;
}

/** @returns the very dataset where it has these and no others. Throws CommandError where it lacks one. */
export function withHorizons(dataset: Dataset, horizonsMs: readonly number[]): Dataset {
  const { card, rows, outputs } = dataset;
  refuseMissing(card, horizonsMs);
  const kept = card.targets.flatMap(({ horizonMs }, output) => (horizonsMs.includes(horizonMs) ? [output] : []));
  if (kept.length === outputs) return dataset;
  const targets = new Float64Array(rows * kept.length);
  const mask = new Uint8Array(rows * kept.length);
  for (let row = 0; row < rows; row++) {
    for (const [index, output] of kept.entries()) {
      targets[row * kept.length + index] = dataset.targets[row * outputs + output] as number;
      mask[row * kept.length + index] = dataset.mask[row * outputs + output] as number;
    }
  }
  return {
    ...dataset,
    card: { ...card, targets: kept.flatMap((output) => card.targets[output] ?? []) },
    outputs: kept.length,
    targets,
    mask,
  };
}

function refuseMissing(card: DatasetCard, horizonsMs: readonly number[]): void {
  const known = horizonsOf(card.targets);
  const missing = horizonsMs.filter((horizonMs) => !known.includes(horizonMs));
  if (missing.length > 0)
    throw new CommandError(
      `the dataset has no targets at ${missing.join(", ")} ms, only at ${known.join(", ")}: make one with \`edgebook dataset --horizons ${[...new Set([...known, ...missing])].sort((one, other) => one - other).join(",")}\``,
    );
}
