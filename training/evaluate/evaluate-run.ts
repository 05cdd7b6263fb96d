/**
 * Scores a run on rows that it never saw: the test part of its own dataset, or the whole of another one. Refused: data of the time and market that
 * it was trained on, other features, and a run without a test part where no other data are given.
 */

import { CommandError } from "../command-error.ts";
import { type DatasetPart, describeSource } from "../datasets/card.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { simulatedSeed } from "../datasets/simulated-source.ts";
import { answerRidge } from "../linear/ridge.ts";
import type { Runtime } from "../runtime/contract.ts";
import { buildForwardPass } from "../tensors/forward-pass.ts";
import { prepareRows, rowsWithHistory, shapeOf } from "../train/prepared-rows.ts";
import type { Run, RunCard } from "../train/run-folder.ts";
import { splitByTime } from "../train/split.ts";
import { answerRows } from "../train/train-network.ts";
import { familyFor } from "../train/train-run.ts";
import { type DetailedScore, type OutputRows, scoreOutput } from "./scores.ts";

export interface Evaluation {
  readonly format: "edgebook-scores/1";
  readonly datasetSha256: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly purgeMs: number;
  /** Of the code that scored, as training/commit.ts tells it. */
  readonly commit: string | null;
  readonly scores: readonly DetailedScore[];
  /** The same for each market and source, where there are several. */
  readonly byPart: readonly {
    readonly market: string;
    readonly source: string;
    readonly rows: number;
    readonly scores: readonly DetailedScore[];
  }[];
}

/** Above this at five seconds and more, no honest forecast of a liquid market has been seen: look for what leaks. */
const SUSPICIOUS_R2 = 0.4;
const SUSPICIOUS_FROM_MS = 5_000;

/** @param options.commit of the code that runs; null where unknown. */
export async function evaluateRun(
  run: Run,
  dataset: Dataset,
  { runtime, commit }: { runtime: Runtime; commit: string | null },
): Promise<Evaluation> {
  refuseUnscorable(run.card);
  const { family } = familyFor(run.card.family, dataset, run.card.model);
  const rows = rowsWithHistory(dataset, unseenRows(run.card, dataset), family);
  const answers = await answersOf(run, dataset, { rows, runtime });
  const all = Array.from({ length: rows.length }, (_, index) => index);
  const { parts } = dataset.card;
  const byPart = parts.flatMap((part, partIndex) => {
    const chosen = all.filter((index) => dataset.parts[rows[index] as number] === partIndex);
    return chosen.length === 0
      ? []
      : [{ market: part.market, source: part.source, rows: chosen.length, scores: scoresOf(dataset, answers, { rows, chosen }) }];
  });
  const times = rows.reduce((range, row) => widen(range, dataset.times[row] as number), {
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
  });
  return {
    format: "edgebook-scores/1",
    datasetSha256: dataset.card.sha256,
    source: describeSource(dataset.card),
    ...times,
    rows: rows.length,
    purgeMs: run.card.split.purgeMs,
    commit,
    scores: scoresOf(dataset, answers, { rows, chosen: all }),
    byPart: parts.length > 1 ? byPart : [],
  };
}

/** Scores are of moves. Throws CommandError for a run that answers anything else. */
export function refuseUnscorable({ family, model }: RunCard): void {
  if (model.answer === "moves") return;
  throw new CommandError(
    `this run of ${family} answers ${model.answer}, and scores are of moves: its validation error beside what knows nothing of the row is in the run`,
  );
}

/** What looks too good to be true, as sentences. */
export function suspicionsOf(evaluation: Evaluation): string[] {
  return evaluation.scores
    .filter((score) => score.horizonMs >= SUSPICIOUS_FROM_MS && score.r2 > SUSPICIOUS_R2)
    .map(
      ({ target, horizonMs, r2 }) =>
        `R² ${r2.toFixed(3)} of ${target} at ${horizonMs / 1_000} s is above ${SUSPICIOUS_R2}: suspect a leak. \`edgebook evaluate --leak-check\` asks whether the scoring sees labels; whether a column knows the future, look at the columns`,
    );
}

/** Row numbers that the run has not seen. Throws CommandError when the data were, or can't be, fed to it. */
export function unseenRows(card: RunCard, dataset: Dataset): Uint32Array {
  if (dataset.card.featureSet.fingerprint !== card.featureSet.fingerprint) {
    throw new CommandError(
      `the dataset has the features ${dataset.card.featureSet.id} ${dataset.card.featureSet.fingerprint}, the run was trained on ${card.featureSet.id} ${card.featureSet.fingerprint}: make a dataset with the same, or train again`,
    );
  }
  if (dataset.card.sha256 === card.data.sha256) {
    const { test } = splitByTime(dataset.times, card.split);
    if (test.length === 0) throw new CommandError("this run kept no test part: give it other data with --data DIR");
    return test;
  }
  const seen = dataset.card.parts.find((part) => isSeen(card, part));
  if (seen !== undefined) {
    throw new CommandError(
      `the run was trained on ${seen.market} (${seen.source}) at that time: scores on it would say nothing. Take other data, or the run's own dataset, whose test part is kept apart`,
    );
  }
  return Uint32Array.from({ length: dataset.rows }, (_, row) => row);
}

/** Simulated markets share their clock and their names; what sets two apart is the seed. A shorter run of a seed is the beginning of a longer one. */
function isSeen(card: RunCard, part: DatasetPart): boolean {
  return card.data.markets.some((known) => {
    if (known.market !== part.market || part.from > known.to + card.split.purgeMs || part.to < known.from - card.split.purgeMs)
      return false;
    const [own, other] = [simulatedSeed(part.source), simulatedSeed(known.source)];
    return own !== null && other !== null ? own === other : true;
  });
}

interface Answers {
  /** [rows, outputs] in units of the targets' scale. */
  readonly network: Float32Array;
  readonly ridge: Float32Array;
  readonly targetScale: readonly number[];
}

async function answersOf(run: Run, dataset: Dataset, options: { rows: Uint32Array; runtime: Runtime }): Promise<Answers> {
  const { family, network } = familyFor(run.card.family, dataset, run.card.model);
  const { normaliser, targetScale } = run.card;
  const prepared = prepareRows(dataset, options.rows, { family, normaliser, targetScale, targetClip: null });
  const session = await options.runtime.open(buildForwardPass(network, shapeOf(prepared)));
  const answers = await answerRows(session, run, prepared);
  await session.release();
  return { network: answers, ridge: answerRidge({ weights: run.ridgeWeights }, prepared), targetScale };
}

/** @param options.rows all rows that were answered. @param options.chosen which of them (indexes into rows) to score. */
function scoresOf(dataset: Dataset, answers: Answers, options: { rows: Uint32Array; chosen: readonly number[] }): DetailedScore[] {
  return dataset.card.targets.flatMap((column, output) => {
    const score = scoreOutput(column, outputRows(dataset, answers, { ...options, output }), dataset.card.intervalMs);
    return score === null ? [] : [score];
  });
}

function outputRows(
  dataset: Dataset,
  answers: Answers,
  options: { rows: Uint32Array; chosen: readonly number[]; output: number },
): OutputRows {
  const { rows, chosen, output } = options;
  const { outputs } = dataset;
  const scale = answers.targetScale[output] as number;
  const scored = chosen.filter((index) => dataset.mask[(rows[index] as number) * outputs + output] === 1);
  return {
    actual: Float64Array.from(scored, (index) => dataset.targets[(rows[index] as number) * outputs + output] as number),
    predicted: Float64Array.from(scored, (index) => (answers.network[index * outputs + output] as number) * scale),
    ridge: Float64Array.from(scored, (index) => (answers.ridge[index * outputs + output] as number) * scale),
  };
}

function widen(range: { from: number; to: number }, time: number): { from: number; to: number } {
  return { from: Math.min(range.from, time), to: Math.max(range.to, time) };
}
