/** `edgebook evaluate`: a run on rows that it never saw, beside persistence and a line. */

import { Command, Option } from "commander";
import { horizonsOf } from "../../core/labels/horizons.ts";
import { labelKindOf } from "../../core/labels/moves.ts";
import { CommandError } from "../command-error.ts";
import { currentCommit } from "../commit.ts";
import { type Dataset, type ReadDatasetOptions, readDataset } from "../datasets/dataset-reader.ts";
import type { CalibratedScore } from "../evaluate/calibrated-scores.ts";
import { type Evaluation, evaluateRun, suspicionsOf } from "../evaluate/evaluate-run.ts";
import { fitCalibration } from "../evaluate/fit-calibration.ts";
import type { ReconstructionScore } from "../evaluate/reconstruction-score.ts";
import { FEWEST_BLOCKS, HORIZONS_A_BLOCK } from "../evaluate/scores.ts";
import { writeScores } from "../evaluate/scores-file.ts";
import { checkForLeaks, type LeakCheck } from "../leaks/leak-check.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { type Run, readRun } from "../train/run-folder.ts";
import { terminalProgress } from "./bars.ts";
import { calibratedTable, reliabilityTable } from "./calibrated-tables.ts";
import { evaluateModelCommand } from "./evaluate-model.ts";
import { type FreePredictability, freePredictability, freeTable } from "./free-predictability.ts";
import { jsonOption, memoryOf, memoryOption } from "./options.ts";
import { classTable, errorTable, print, printJson, scoreTable, table, when } from "./report.ts";

/** Of a reconstruction; scores.json holds all. */
const SHOWN_COLUMNS = 10;

interface EvaluateOptions {
  readonly run?: string;
  readonly model?: string;
  readonly data?: string;
  readonly leakCheck: boolean;
  readonly memory?: number;
  readonly json: boolean;
}

export function evaluateCommand(): Command {
  return new Command("evaluate")
    .description(
      "Scores a run on the test part of its dataset, or on other data that it has not seen, and writes scores.json into it; or an exported model on a dataset.",
    )
    .option("--run <dir>", "run made by `edgebook train`")
    .addOption(
      new Option("--model <dir>", "exported model, its folder or its manifest: scored on --data as the edge would have answered").conflicts(
        ["run", "leakCheck"],
      ),
    )
    .option("--data <dir>", "another dataset, all of whose rows are scored; for --model also a folder of recordings or imported events")
    .option(
      "--leak-check",
      "also train on labels of other rows: skill left means that the scoring sees labels (a feature that looks ahead it can't see)",
      false,
    )
    .addOption(memoryOption())
    .addOption(jsonOption())
    .action(runEvaluate);
}

async function runEvaluate(options: EvaluateOptions): Promise<void> {
  if (options.model !== undefined) return evaluateModelCommand({ ...options, model: options.model });
  if (options.run === undefined) throw new CommandError("name a run with --run, or an exported model with --model");
  const run = await readRun(options.run);
  const memory = memoryOf(options);
  const runtime = await loadRuntime(run.kind === "network" ? run.card.backend : "node");
  const test = options.data === undefined ? await trainingDataset(run, memory) : await readDataset(options.data, memory);
  const training = options.data === undefined ? test : await trainingDataset(run, memory).catch(missing(options.leakCheck));
  const calibration = training === null ? null : await fitCalibration(run, training, { runtime });
  const evaluation = await evaluateRun(run, test, { runtime, commit: currentCommit(), calibration });
  await writeScores(options.run, evaluation);
  const leaks =
    options.leakCheck && training !== null ? await checkForLeaks(run, { training, test, runtime, progress: terminalProgress() }) : null;
  const free = freePredictability(test.card);
  const told = free.length === 0 ? {} : { freePredictability: free };
  if (test.card.clock === "events" && !options.json) print("no times: an event counts as a second");
  if (options.json) printJson({ ...evaluation, ...told, suspicions: suspicionsOf(evaluation), leakCheck: leaks });
  else printEvaluation(evaluation, { leaks, free, unscored: unscoredHorizons(run, evaluation) });
  if (leaks?.isClean === false) process.exitCode = 2;
}

/** Without the run's own dataset its calibration can't be judged; a leak check can't do without. */
function missing(isNeeded: boolean): (error: unknown) => null {
  return (error) => {
    if (isNeeded || !(error instanceof CommandError)) throw error;
    console.error(`edgebook: intervals and probabilities are not judged: ${error.message}`);
    return null;
  };
}

/** The dataset that the run was trained on, if it is still what it was. */
export async function trainingDataset(run: Run, memory: ReadDatasetOptions = {}): Promise<Dataset> {
  const { folder, sha256 } = run.card.data;
  const dataset = await readDataset(folder, memory);
  if (dataset.card.sha256 !== sha256)
    throw new CommandError(
      `${folder} is no longer the dataset that this run was trained on: give other data with --data DIR, or train again`,
    );
  return dataset;
}

function printScores({ scores, classes }: Pick<Evaluation, "scores" | "classes">): void {
  if (classes === undefined) {
    if (scores.length === 0) return;
    print(scoreTable(scores));
    const errors = errorTable(scores);
    if (errors !== "") print(errors);
    return;
  }
  if (classes.length === 0) print("too few rows to score");
  for (const score of classes) print(classTable(score));
}

function printCalibrated(scores: readonly CalibratedScore[]): void {
  if (scores.length === 0) return;
  print(calibratedTable(scores));
  for (const score of scores) print(reliabilityTable(score));
  print(
    "intervals and probabilities: from the run's validation rows, judged here; the shares are those of all of these, which know nothing of a row",
  );
}

function printReconstruction(score: ReconstructionScore | null): void {
  if (score === null) {
    print("too few rows to score");
    return;
  }
  print(
    `error ${score.error.toFixed(4)} beside ${score.meanError.toFixed(4)} of the columns' means: R² ${score.r2.toFixed(4)} [${score.r2Low.toFixed(4)}, ${score.r2High.toFixed(4)}]`,
  );
  const rows = score.columns
    .slice(0, SHOWN_COLUMNS)
    .map((one) => [one.column, one.error.toFixed(4), one.meanError.toFixed(4), one.r2.toFixed(4)]);
  print(table(["worst columns", "error", "error of the mean", "R²"], rows));
}

/** Of moves: those that the run answers and that have no score, in seconds. */
function unscoredHorizons({ card }: Run, { scores, classes, reconstruction }: Evaluation): number[] {
  if (classes !== undefined || reconstruction !== undefined) return [];
  const scored = new Set(scores.map(({ horizonMs }) => horizonMs));
  return horizonsOf(card.outputs).flatMap((horizonMs) => (scored.has(horizonMs) ? [] : [horizonMs / 1_000]));
}

interface Beside {
  readonly leaks: LeakCheck | null;
  readonly free: readonly FreePredictability[];
  readonly unscored: readonly number[];
}

function printEvaluation(evaluation: Evaluation, { leaks, free, unscored }: Beside): void {
  print(`scored on ${evaluation.rows} rows, ${when(evaluation.from)} … ${when(evaluation.to)} UTC: ${evaluation.source}`);
  print(`label: ${labelKindOf(evaluation)}`);
  if (free.length > 0) print(freeTable(free));
  printScores(evaluation);
  printCalibrated(evaluation.calibrated ?? []);
  if (unscored.length > 0)
    print(
      `no score at ${unscored.join(", ")} s: not trained, nothing moved, or fewer rows than ${FEWEST_BLOCKS} blocks of ${HORIZONS_A_BLOCK} horizons each`,
    );
  for (const part of evaluation.byPart) {
    print(`\n${part.market} alone (${part.source}), ${part.rows} rows`);
    printScores(part);
  }
  if (evaluation.reconstruction !== undefined) printReconstruction(evaluation.reconstruction);
  print("intervals: 1,000 circular resamples of blocks of ten minutes (shorter where there are few rows)");
  if (evaluation.scores.length > 0)
    print(`p: Diebold-Mariano with the correction of Harvey, Leybourne, Newbold; ${evaluation.scores.length} outputs are tested`);
  for (const suspicion of suspicionsOf(evaluation)) print(`! ${suspicion}`);
  if (leaks === null) return;
  print(
    leaks.isClean
      ? `leak check: labels of other rows teach nothing (largest ${leaks.measure} ${leaks.largest.toFixed(4)}, no more than chance gives so many rows), so the scoring sees no labels; whether a feature looks ahead it doesn't tell`
      : `! LEAK: labels of other rows gave ${leaks.measure} ${leaks.largest.toFixed(4)} on the test rows`,
  );
}
