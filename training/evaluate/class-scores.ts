/**
 * Scores of classes on rows that training never saw, beside three that need no network: the class that came most often on these very rows (which is
 * generous to it: nobody knew), the last class that could be observed when the row was answered, and the logistic line of the run.
 *
 * Accuracy alone misleads where one class is common; macro-F1 counts classes alike, and Matthews' correlation is 0 for whoever says one class always.
 * Log-loss and Brier's score are of the probabilities. Intervals come from blocks, as those of moves do (scores.ts).
 */

import { Random } from "../../core/math/random.ts";
import { blockIntervals, type RowSums } from "../../core/metrics/block-interval.ts";
import { brierOf, brierScore } from "../../core/metrics/brier.ts";
import { accuracyOf, confusionCounts, marginsOf } from "../../core/metrics/confusion.ts";
import { logLoss, surpriseOf } from "../../core/metrics/log-loss.ts";
import { macroF1 } from "../../core/metrics/macro-f1.ts";
import { matthewsCorrelation } from "../../core/metrics/mcc.ts";
import type { R2Interval } from "../../core/metrics/r2-interval.ts";
import type { ClassQuestion } from "../../models/contract.ts";
import { BOOTSTRAP_SEED, blockRowsFor, FEWEST_BLOCKS, RESAMPLES } from "./scores.ts";

export interface ClassMeasures {
  readonly accuracy: number;
  readonly macroF1: number;
  /** Matthews' correlation; null where only one class came. */
  readonly mcc: number | null;
  /** Nats; null: it gives no probabilities. */
  readonly logLoss: number | null;
  readonly brier: number | null;
}

export interface ReliabilityBin {
  readonly rows: number;
  /** Mean probability of the class that was said. */
  readonly probability: number;
  /** How often it came. */
  readonly share: number;
}

export interface ClassScore extends ClassQuestion {
  readonly rows: number;
  readonly model: ClassMeasures;
  readonly intervals: Readonly<Record<IntervalName, R2Interval | null>>;
  /** [came][said] of the model. */
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: readonly ReliabilityBin[];
  /** The commonest class, and for log-loss and Brier the shares of all. */
  readonly majority: ClassMeasures;
  /** The last class that was known; where none was, the commonest. */
  readonly persistence: ClassMeasures;
  /** Null: the run has no such line. */
  readonly logistic: ClassMeasures | null;
}

export type IntervalName = "accuracy" | "macroF1" | "mcc" | "logLoss" | "brier";

/** [rows] of one question, in order of time, rows without a class left out. */
export interface QuestionRows {
  readonly actual: Int8Array;
  /** [rows, labels] */
  readonly probabilities: Float64Array;
  readonly logistic: Float64Array | null;
  /** -1: none was known. */
  readonly last: Int8Array;
}

const BINS = 10;

/** @returns null where there are too few rows for their horizon to say how sure the score is. */
export function scoreQuestion(question: ClassQuestion, rows: QuestionRows, intervalMs: number): ClassScore | null {
  const { actual, probabilities } = rows;
  const classes = question.labels.length;
  const blockRows = blockRowsFor(actual.length, question.horizonMs, intervalMs);
  if (actual.length < FEWEST_BLOCKS * blockRows) return null;
  const said = mostLikely(probabilities, classes);
  const counts = confusionCounts({ actual, predicted: said }, classes);
  const { came, total } = marginsOf(counts, classes);
  const common = came.indexOf(Math.max(...came));
  const shares = Float64Array.from({ length: actual.length * classes }, (_, cell) => (came[cell % classes] as number) / total);
  const model = measuresOf(actual, { said, probabilities, classes });
  const majority = measuresOf(actual, { said: actual.map(() => common), probabilities: shares, classes });
  const persistence = measuresOf(actual, { said: rows.last.map((last) => (last < 0 ? common : last)), probabilities: null, classes });
  if (model === null || majority === null || persistence === null) return null;
  const random = new Random(BOOTSTRAP_SEED);
  return {
    ...question,
    rows: actual.length,
    model,
    intervals: blockIntervals(rowSums(actual, { said, probabilities, classes }), statisticsOf(classes), {
      uniform: () => random.uniform(),
      blockRows,
      resamples: RESAMPLES,
    }),
    confusion: Array.from({ length: classes }, (_, label) => [...counts.subarray(label * classes, (label + 1) * classes)]),
    calibration: reliabilityOf(actual, { said, probabilities, classes }),
    majority,
    persistence,
    logistic:
      rows.logistic === null
        ? null
        : measuresOf(actual, { said: mostLikely(rows.logistic, classes), probabilities: rows.logistic, classes }),
  };
}

interface Said {
  /** [rows] */
  readonly said: Int8Array;
  /** [rows, classes]; null: none. */
  readonly probabilities: Float64Array | null;
  readonly classes: number;
}

function measuresOf(actual: Int8Array, { said, probabilities, classes }: Said): ClassMeasures | null {
  const counts = confusionCounts({ actual, predicted: said }, classes);
  const [accuracy, f1] = [accuracyOf(counts, classes), macroF1(counts, classes)];
  if (accuracy === null || f1 === null) return null;
  return {
    accuracy,
    macroF1: f1,
    mcc: matthewsCorrelation(counts, classes),
    logLoss: probabilities === null ? null : logLoss(probabilities, actual, classes),
    brier: probabilities === null ? null : brierScore(probabilities, actual, classes),
  };
}

/** A row adds itself to its cell of the confusion, and its two losses behind that. */
function rowSums(actual: Int8Array, { said, probabilities, classes }: Said & { probabilities: Float64Array }): RowSums {
  const cells = classes * classes;
  return {
    rows: actual.length,
    width: cells + 2,
    add(row, out) {
      const came = actual[row] as number;
      const own = probabilities.subarray(row * classes, (row + 1) * classes);
      out[came * classes + (said[row] as number)] = 1;
      out[cells] = surpriseOf(own[came] as number);
      out[cells + 1] = brierOf(own, came);
    },
  };
}

function statisticsOf(classes: number): Readonly<Record<IntervalName, (sums: Float64Array) => number | null>> {
  const cells = classes * classes;
  const mean = (sums: Float64Array, at: number): number | null => {
    const { total } = marginsOf(sums, classes);
    return total === 0 ? null : (sums[at] as number) / total;
  };
  return {
    accuracy: (sums) => accuracyOf(sums, classes),
    macroF1: (sums) => macroF1(sums, classes),
    mcc: (sums) => matthewsCorrelation(sums, classes),
    logLoss: (sums) => mean(sums, cells),
    brier: (sums) => mean(sums, cells + 1),
  };
}

/** [rows] the first of the largest. */
function mostLikely(probabilities: Float64Array, classes: number): Int8Array {
  return Int8Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/** Rows by the probability of what was said, in parts of equal width from chance to certainty; empty parts are left out. */
function reliabilityOf(actual: Int8Array, { said, probabilities, classes }: Said & { probabilities: Float64Array }): ReliabilityBin[] {
  const bins = Array.from({ length: BINS }, () => ({ rows: 0, probability: 0, share: 0 }));
  for (let row = 0; row < actual.length; row++) {
    const probability = probabilities[row * classes + (said[row] as number)] as number;
    const place = Math.floor(((probability - 1 / classes) / (1 - 1 / classes)) * BINS);
    const bin = bins[Math.min(BINS - 1, Math.max(0, place))];
    if (bin === undefined) continue;
    bin.rows++;
    bin.probability += probability;
    bin.share += actual[row] === said[row] ? 1 : 0;
  }
  return bins.flatMap(({ rows, probability, share }) =>
    rows === 0 ? [] : [{ rows, probability: probability / rows, share: share / rows }],
  );
}
