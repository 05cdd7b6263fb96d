/** Two datasets of one market, of what was recorded at the edge and of the events that were played to it, row beside row; and a model's scores on the rows that have targets in both. */

import type { Dataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import type { ForecastScore } from "../../training/evaluate/forecast-score.ts";
import type { AnsweredTick, ImportedScores } from "./edge-day-contract.ts";

interface Pair {
  readonly taped: Dataset;
  readonly imported: Dataset;
}

/** By grid time: horizons that the answer left out. */
export type HorizonsByTick = ReadonlyMap<number, ReadonlySet<number>>;

export interface PairOptions {
  /** Only rows of these grid times, and of them what was answered. */
  readonly ticks: HorizonsByTick;
  readonly evaluate: (dataset: Dataset) => Promise<readonly ForecastScore[]>;
}

export async function compareDatasets({ taped, imported }: Pair, { ticks, evaluate }: PairOptions): Promise<ImportedScores> {
  const [left, right] = [rowsByTime(taped, ticks), rowsByTime(imported, ticks)];
  const both = [...left.keys()].filter((time) => right.has(time));
  const { equalRows, differing } = featuresOf(
    { taped, imported },
    both.map((time) => [left.get(time), right.get(time)] as [number, number]),
  );
  const isIn = (own: Dataset, other: Dataset, rows: ReadonlyMap<number, number>) => {
    const isAnswered = isAnsweredIn(own, ticks);
    return (row: number, output: number): boolean => {
      const there = isAnswered(row, output) ? rows.get(own.times[row] as number) : undefined;
      return there !== undefined && other.mask[there * other.outputs + output] === 1;
    };
  };
  const scored = {
    taped: withTargets(taped, isIn(taped, imported, right)),
    imported: withTargets(imported, isIn(imported, taped, left)),
  };
  const scores = { taped: await evaluate(scored.taped), imported: await evaluate(scored.imported) };
  const { outputs, card } = taped;
  return {
    rows: both.length,
    onlyTaped: left.size - both.length,
    onlyImported: right.size - both.length,
    equalRows,
    differing,
    outputs: card.targets.map(({ target, horizonMs }, output) => {
      const known = both.filter((time) => scored.taped.mask[(left.get(time) as number) * outputs + output] === 1);
      const isEqual = (time: number): boolean =>
        taped.targets[(left.get(time) as number) * outputs + output] === imported.targets[(right.get(time) as number) * outputs + output];
      const r2 = (of: readonly ForecastScore[]): number | null =>
        of.find((score) => score.target === target && score.horizonMs === horizonMs)?.r2 ?? null;
      const own = { tapedR2: r2(scores.taped), importedR2: r2(scores.imported) };
      return { target, horizonMs, rows: known.length, ...own, equalTargets: known.filter(isEqual).length };
    }),
  };
}

/** Grid times that were answered, with the horizons that were left out. */
export function horizonsByTick(ticks: readonly AnsweredTick[]): HorizonsByTick {
  return new Map(ticks.map(({ time, expired }) => [time, new Set(expired)]));
}

export function isAnsweredIn({ times, card }: Dataset, ticks: HorizonsByTick): (row: number, output: number) => boolean {
  return (row, output) => ticks.get(times[row] as number)?.has(card.targets[output]?.horizonMs ?? 0) === false;
}

/** Other rows, or outputs of them, have no target. */
export function withTargets(dataset: Dataset, hasTarget: (row: number, output: number) => boolean): Dataset {
  const { outputs, mask } = dataset;
  return { ...dataset, mask: mask.map((known, at) => (hasTarget(Math.floor(at / outputs), at % outputs) ? known : 0)) };
}

function rowsByTime({ times }: Dataset, ticks: HorizonsByTick): Map<number, number> {
  return new Map(Array.from(times, (time, row) => [time, row] as const).filter(([time]) => ticks.has(time)));
}

function featuresOf({ taped, imported }: Pair, rows: readonly [number, number][]): Pick<ImportedScores, "equalRows" | "differing"> {
  const { columns } = taped;
  const [left, right] = [allFeatures(taped), allFeatures(imported)];
  const names = taped.card.featureSet.columns;
  const differing: Record<string, number> = {};
  let equalRows = 0;
  for (const [one, other] of rows) {
    const unequal = names.filter((_, column) => left[one * columns + column] !== right[other * columns + column]);
    if (unequal.length === 0) equalRows++;
    for (const name of unequal) differing[name] = (differing[name] ?? 0) + 1;
  }
  return { equalRows, differing };
}
