/**
 * Are a run's statistics those of its training rows, and of nothing else? They are worked out once more from those rows alone and compared bit for
 * bit with what the run's card holds: means and scales of the inputs, scales of the moves, thresholds of the classes; and the purge is no shorter
 * than what rows of two parts could share. Weights aren't traced: `labels turned` asks what they saw.
 */

import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { servedRowsOf } from "../datasets/phases.ts";
import { fitStatistics, type RowStatistics } from "../train/fit-statistics.ts";
import { rowsWithHistory } from "../train/prepared-rows.ts";
import type { RunCard } from "../train/run-card.ts";
import { familyOf, lookBackOf, seenByRun } from "../train/run-rows.ts";
import { purgeFor, splitByTime } from "../train/split.ts";
import type { LeakVerdict } from "./verdict.ts";

type Statistics = ReadonlyMap<string, readonly number[]>;

/** @param data the one that the run was trained on, with all its phases; another is refused with a CommandError. */
export function traceStatistics(card: RunCard, data: Dataset): readonly LeakVerdict[] {
  if (card.data.sha256 !== data.card.sha256)
    throw new CommandError(`the run was trained on another dataset (${card.data.folder}): name that one with --data`);
  const dataset = seenByRun(card, data);
  const { family } = familyOf(card.family, dataset, card.model);
  const model = { family, answer: card.model.answer, inputClip: card.normaliser.clip };
  const split = splitByTime(dataset.times, { ...card.split, servedRows: servedRowsOf(dataset.card) });
  const train = rowsWithHistory(dataset, split.train, family);
  const told = statisticsOfCard(card);
  const traced = statisticsOf(fitStatistics(dataset, train, model));
  const different = differences(told, traced);
  const leastPurge = purgeFor(
    dataset.card.targets.map(({ horizonMs }) => horizonMs),
    lookBackOf(dataset, family),
  );
  return [
    ...fittedColumns(dataset, split.validationFrom),
    {
      detector: "statistics traced",
      what: `means, scales and thresholds of ${train.length} training rows`,
      found: `${different.length} of ${countOf(told)} differ`,
      wanted: "the bits of the run's card",
      failure:
        different.length === 0 ? null : sentence(different, told, () => statisticsOf(fitStatistics(dataset, allRows(dataset), model))),
    },
    {
      detector: "purge",
      what: "time left out between training, validation and test",
      found: `${card.split.purgeMs / 1_000} s`,
      wanted: `${leastPurge / 1_000} s or more`,
      failure:
        card.split.purgeMs >= leastPurge
          ? null
          : `${card.split.purgeMs / 1_000} s between the parts are too few: a label reaches, and a row looks back, ${leastPurge / 1_000} s together`,
    },
  ];
}

/** Of columns that take nothing from data there is nothing to say. */
function fittedColumns({ card: { fit, featureSet } }: Dataset, validationFrom: number): readonly LeakVerdict[] {
  if (fit === undefined) return [];
  return [
    {
      detector: "columns fitted",
      what: `the fit ${fit.hash} of ${featureSet.id}, to ${fit.rows} rows`,
      found: `rows up to ${new Date(fit.to).toISOString()}`,
      wanted: `before validation, ${new Date(validationFrom).toISOString()}`,
      failure: fit.to < validationFrom ? null : "columns were fitted to rows that choose or score",
    },
  ];
}

function sentence(different: readonly string[], told: Statistics, ofAllRows: () => Statistics): string {
  const named = `${different.slice(0, 3).join(", ")}${different.length > 3 ? " …" : ""}`;
  const unlikeAllRows = new Set(differences(told, ofAllRows()));
  const isOfAllRows = !different.some((name) => unlikeAllRows.has(name));
  return `the run's ${named} ${isOfAllRows ? "are of all rows, the test rows among them" : "are not those of its training rows"}`;
}

function allRows({ rows }: Dataset): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row);
}

function statisticsOfCard({ normaliser, targetScale, model }: RunCard): Statistics {
  return new Map([
    ["mean", normaliser.mean],
    ["scale", normaliser.scale],
    ["targetScale", targetScale],
    ["thresholdsBps", model.thresholdsBps],
  ]);
}

function statisticsOf({ normaliser, targetScale, output }: RowStatistics): Statistics {
  return new Map([
    ["mean", normaliser.mean],
    ["scale", normaliser.scale],
    ["targetScale", targetScale],
    ["thresholdsBps", output.unit === "probability" ? output.groups.map(({ thresholdBps }) => thresholdBps) : []],
  ]);
}

/** Their names with places; a list of another length differs in each. */
function differences(told: Statistics, traced: Statistics): string[] {
  return [...told].flatMap(([name, values]) => {
    const others = traced.get(name) ?? [];
    const length = Math.max(values.length, others.length);
    return Array.from({ length }, (_, place) => `${name}[${place}]`).filter((_, place) => !isSameNumber(values[place], others[place]));
  });
}

/** By their bits, but that JSON knows no negative zero. */
function isSameNumber(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && one === other;
}

function countOf(statistics: Statistics): number {
  return [...statistics.values()].reduce((sum, values) => sum + values.length, 0);
}
