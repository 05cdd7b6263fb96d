/** From datasets and dates to what is compared: rows that all models can answer, purge, folds, and a sentence of how they were cut. */

import { horizonsOf } from "../../core/labels/horizons.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { refuseFittedLater } from "../datasets/fit-end.ts";
import { lookBackOf } from "../train/run-rows.ts";
import { purgeFor } from "../train/split.ts";
import { type AlignedData, alignDatasets } from "./aligned-data.ts";
import type { ComparedModel } from "./contract.ts";
import { DEFAULT_FIRST_SHARE, datedFold, type Fold, walkForwardFolds } from "./folds.ts";
import { type LabelledData, withCommonRows } from "./free-labels.ts";
import { onlyHorizons } from "./only-horizons.ts";

export type Cut =
  /** One fold, by dates. */
  | { readonly kind: "dated"; readonly fitUntil: number; readonly testFrom: number; readonly testTo?: number }
  /** One fold: so much of the rows' time is fitted, the rest scored. */
  | { readonly kind: "share"; readonly fitShare: number }
  | { readonly kind: "walk"; readonly folds: number; readonly walk: "expanding" | "rolling" };

export interface Planned {
  /** The same folds of other labels' rows, the comparison's own label first; none where no other was named. */
  readonly labelled: { readonly data: readonly LabelledData[]; readonly folds: readonly Fold[] } | null;
  readonly data: AlignedData;
  readonly folds: readonly Fold[];
  readonly purgeMs: number;
  readonly protocol: string;
}

export function planComparison(
  datasets: readonly Dataset[],
  options: {
    models: readonly ComparedModel[];
    cut: Cut;
    validationShare: number;
    horizonsMs: readonly number[];
    beside?: readonly Dataset[];
  },
): Planned {
  const { models, cut, validationShare } = options;
  const [main] = datasets;
  if (main === undefined) throw new CommandError("there is no dataset to compare on: name one with --data");
  const windows = windowsOf(models, datasets);
  const data = onlyHorizons(alignDatasets(datasets, windows), options.horizonsMs);
  const { beside = [] } = options;
  const horizons = horizonsOf(data.columns);
  const lookBack = (dataset: Dataset): number => lookBackOf(dataset, { window: windows.get(dataset.card.featureSet.id) ?? 1 });
  const settings = { validationShare, purgeMs: purgeFor(horizons, Math.max(...datasets.map(lookBack))) };
  const folds = foldsOf(data, cut, settings);
  for (const { card } of [...datasets, ...(options.beside ?? [])])
    for (const { validationFrom } of folds) refuseFittedLater(card, validationFrom);
  // A smoothed label looks back as well: its purge is longer, and takes nothing from the rows that are compared on.
  const ofLabels = { validationShare, purgeMs: purgeFor(horizons, Math.max(...[main, ...beside].map(lookBack))) };
  return {
    data,
    folds,
    purgeMs: settings.purgeMs,
    protocol: protocolOf(cut, settings),
    labelled: beside.length === 0 ? null : labelledOf([main, ...beside], { cut, settings: ofLabels, horizons }),
  };
}

function labelledOf(
  datasets: readonly Dataset[],
  { cut, settings, horizons }: { cut: Cut; settings: { validationShare: number; purgeMs: number }; horizons: readonly number[] },
): Planned["labelled"] {
  const labelled = withCommonRows(datasets, horizons);
  const [first] = labelled;
  return first === undefined ? null : { data: labelled, folds: foldsOf(first.data, cut, settings) };
}

/** By feature set, the longest history that a model which can be fitted wants. */
function windowsOf(models: readonly ComparedModel[], datasets: readonly Dataset[]): Map<string, number> {
  const windows = new Map<string, number>();
  for (const { reads, window } of models) {
    const id = reads ?? datasets[0]?.card.featureSet.id ?? "";
    windows.set(id, Math.max(window, windows.get(id) ?? 1));
  }
  return windows;
}

function foldsOf(data: AlignedData, cut: Cut, settings: { validationShare: number; purgeMs: number }): Fold[] {
  const { times } = data;
  if (cut.kind === "dated") return [datedFold(times, cut, settings)];
  if (cut.kind === "walk") return walkForwardFolds(times, { ...settings, ...cut, firstShare: DEFAULT_FIRST_SHARE });
  const sorted = times.slice().sort();
  const at = sorted[Math.floor(cut.fitShare * sorted.length)];
  if (at === undefined) throw new CommandError(`a share of ${cut.fitShare} to fit leaves no row to score`);
  return [datedFold(times, { fitUntil: at, testFrom: at }, settings)];
}

function protocolOf(cut: Cut, { validationShare, purgeMs }: { validationShare: number; purgeMs: number }): string {
  const purge = `${purgeMs / 1_000} s are left out before validation and before the test rows`;
  const validation = `the last ${Math.round(100 * validationShare)} % of what is fitted validate`;
  if (cut.kind === "walk") return `${cut.folds} ${cut.walk} folds, each scored on the rows behind what it fits; ${validation}; ${purge}`;
  return `fitted on what came before, scored once on what came after; ${validation}; ${purge}`;
}
