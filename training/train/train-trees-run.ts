/** From a dataset to a run of trees, the test part not looked at: the line that they correct, if any, the ensembles, what they look at, and the line beside them. */

import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { horizonsOf } from "../../core/labels/horizons.ts";
import type { ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { makeFolder } from "../make-folder.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import type { RoundScore, TrainedTrees } from "../trees/contract.ts";
import { ignorantAnswers, meanError } from "./baseline.ts";
import { answerBaseline, type BaselineLine, fitBaseline } from "./baseline-line.ts";
import type { PreparedRows } from "./contract.ts";
import { type LeftByLine, leftByLine, sumOfBoth, withoutHarm } from "./correction.ts";
import { type LineSettings, lambdasFor } from "./fit-lines.ts";
import { answerTrees, askedOf, fitTrees, type RunTreeSettings } from "./fit-trees.ts";
import type { TreesCard } from "./run-card.ts";
import { CHECKPOINT_FILE, writeCurve, writeTreesRun } from "./run-folder.ts";
import { writeImportance } from "./run-importance.ts";
import { type Cuts, factsOf, familyOf, rowsOfRun, type Shares } from "./run-rows.ts";
import { readTreesCheckpoint, refuseToOverwriteTrees, writeTreesCheckpoint } from "./trees-checkpoint.ts";
import { treesImportance } from "./trees-importance.ts";

export interface TrainTreesRunOptions extends Cuts {
  readonly dataset: Dataset;
  readonly dataFolder: string;
  readonly out: string;
  readonly family: string;
  readonly model?: NetworkSettings | null;
  /** Its objective is of moves; classes have their own. */
  readonly settings: RunTreeSettings;
  /** The trees correct a line fitted so; absent: they answer alone. */
  readonly line?: LineSettings;
  readonly threads: number;
  /** Which moves or questions, e.g. "mid@5000"; empty or absent: all. */
  readonly only?: readonly string[];
  readonly shares?: Shares;
  readonly progress: Progress;
  readonly commit: string | null;
  readonly resume?: boolean;
  readonly signal?: AbortSignal;
  /** Between two checkpoints, beside those behind each ensemble: a minute unless told. */
  readonly checkpointSeconds?: number;
  /** Hears of what went wrong and ends nothing. */
  readonly onWarning?: (message: string) => void;
}

const CHECKPOINT_SECONDS = 60;

/** Stopped, with all rounds so far in the checkpoint. */
export class RoundsInterrupted extends Error {
  override readonly name = "RoundsInterrupted";

  constructor(rounds: number, ensemble: string) {
    super(`training was interrupted after ${rounds} rounds of ${ensemble}; all rounds so far are kept`);
  }
}

/** Trains and writes the run folder. Throws CommandError when the data can't be trained on, RoundsInterrupted when it was stopped. */
export async function trainTreesRun(options: TrainTreesRunOptions): Promise<TreesCard> {
  const { dataset, out, threads, progress } = options;
  const { family, settings: model } = familyOf(options.family, dataset, options.model ?? null);
  const { only = [] } = options;
  const rows = rowsOfRun(dataset, {
    family,
    model,
    only,
    ...(options.shares === undefined ? {} : { shares: options.shares }),
    targetClip: options.targetClip,
    inputClip: options.inputClip,
  });
  const { output } = rows.statistics;
  const settings = settingsFor(output, options.settings);
  if (output.unit === "probability" && settings.monotone?.some((direction) => direction !== 0) === true)
    throw new CommandError(
      "--monotone bounds one answer, and the probability of a class hangs on those of all: train moves, or leave it out",
    );
  const wanted = wantedOf(output, only);
  const left = options.line === undefined ? null : leftByLine(rows.train, rows.validation, { output, settings: options.line });
  const { train } = left ?? rows;
  const validation = masked((left ?? rows).validation, output, wanted);
  const checkpoint = join(out, CHECKPOINT_FILE);
  const conditions = conditionsOf([
    dataset.card.sha256,
    rows.shares,
    rows.purgeMs,
    model,
    settings,
    wanted,
    horizonsOf(dataset.card.targets),
    [rows.targetClip, rows.statistics.normaliser.clip],
    ...(options.line === undefined ? [] : [options.line]),
  ]);
  await makeFolder(out);
  const from = options.resume === true ? await readTreesCheckpoint(checkpoint, conditions) : [];
  if (options.resume !== true) await refuseToOverwriteTrees(checkpoint);
  const names = askedOf(output).map(({ name }) => name);
  const watch = watchRounds(progress, { names, wanted, rounds: settings.rounds });
  let keptAt = performance.now();
  const keep = async (so: readonly (TrainedTrees | null)[]): Promise<void> => {
    await writeTreesCheckpoint(checkpoint, { conditions, trained: so });
    await writeCurve(out, metricsOf(so, names));
  };
  // A full disk doesn't end a training: the last checkpoint is still there, and the next may find room.
  const keepOrWarn = async (so: readonly (TrainedTrees | null)[]): Promise<void> => {
    await keep(so).catch((error: unknown) => options.onWarning?.(warningOf(error)));
    keptAt = performance.now();
  };
  const isDue = (): boolean => performance.now() - keptAt > 1_000 * (options.checkpointSeconds ?? CHECKPOINT_SECONDS);
  progress.start(`training ${family.id} on ${train.rows} rows`, settings.rounds * wanted.filter(Boolean).length);
  const { trained, isStopped } = await fitTrees(train, validation, {
    output,
    settings,
    threads,
    wanted,
    from,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onRound: watch,
    onEnsemble: keepOrWarn,
    onPause: async (soFar) => {
      if (isDue()) await keepOrWarn(soFar());
    },
  }).finally(() => progress.stop());
  if (isStopped) {
    await keep(trained);
    const last = trained.findLastIndex((one) => one !== null);
    throw new RoundsInterrupted(trained[last]?.rounds.length ?? 0, names[Math.max(0, last)] ?? "none");
  }
  const kept = left === null ? trained : withoutHarm(trained, validation, output);
  const ensembles = kept.map((one) => one?.ensemble ?? null);
  const baseline = fitBaseline(rows.train, rows.validation, output);
  // Targets are the moves themselves again.
  const judged = masked(rows.validation, output, wanted);
  const answers = answerTrees(ensembles, judged, askedOf(output));
  const card = await writeTreesRun(out, {
    card: {
      ...factsOf(dataset, rows, options),
      settings: { ...settings, monotone: settings.monotone === null ? null : [...settings.monotone] },
      ...(left === null ? {} : { line: lineFacts(left, output) }),
      ridgeLambdas: [...(baseline?.lambdas ?? [])],
      validation: {
        model: meanError(judged, left === null ? answers : sumOfBoth(left.line, answers, judged), output),
        ...errorsBeside(baseline, { train: rows.train, judged, output }),
      },
    },
    ensembles: kept.map((one) => (one === null ? null : { ensemble: one.ensemble, rounds: one.rounds.length, bestRound: one.bestRound })),
    line: left?.line ?? null,
    ridgeWeights: baseline?.weights ?? new Float64Array(0),
    metrics: metricsOf(trained, names),
  });
  await writeImportance(
    out,
    treesImportance(ensembles, validation, { output, columns: dataset.card.featureSet.columns, seed: settings.seed, progress }),
  );
  await rm(checkpoint, { force: true });
  return card;
}

function errorsBeside(
  baseline: BaselineLine | null,
  { train, judged, output }: { train: PreparedRows; judged: PreparedRows; output: ModelOutput },
): Pick<TreesCard["validation"], "ridge" | "persistence"> {
  const beside = answerBaseline(baseline?.weights ?? new Float64Array(0), judged);
  return {
    ridge: beside === null ? null : meanError(judged, beside, output),
    persistence: meanError(judged, ignorantAnswers(judged, train, output), output),
  };
}

function lineFacts({ line, settings }: LeftByLine, output: ModelOutput): TreesCard["line"] {
  return { lambdas: [...lambdasFor(output, settings)], hasIntercept: settings.hasIntercept, chosen: [...line.lambdas] };
}

function warningOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `no checkpoint could be written (${reason}): training goes on, and could only be resumed from the one before`;
}

function settingsFor(output: ModelOutput, settings: RunTreeSettings): RunTreeSettings {
  return output.unit === "probability" ? { ...settings, objective: { kind: "multiclass" } } : settings;
}

/** "mid@5000" for each move or question. Throws CommandError for one that there isn't. */
function wantedOf(output: ModelOutput, only: readonly string[]): boolean[] {
  const all = output.unit === "bps" ? output.columns : output.unit === "probability" ? output.groups : [];
  const keys = all.map(({ target, horizonMs }) => `${target}@${horizonMs}`);
  const unknown = only.find((key) => !keys.includes(key));
  if (unknown !== undefined) throw new CommandError(`there is no output "${unknown}": choose of ${keys.join(", ")}`);
  return keys.map((key) => only.length === 0 || only.includes(key));
}

/** Cells of what isn't asked for count for no error. */
function masked(rows: PreparedRows, output: ModelOutput, wanted: readonly boolean[]): PreparedRows {
  if (wanted.every(Boolean)) return rows;
  const mask = rows.mask.slice();
  for (const [index, { from, width }] of askedOf(output).entries()) {
    if (wanted[index] === true) continue;
    for (let row = 0; row < rows.rows; row++) mask.fill(0, row * rows.outputs + from, row * rows.outputs + from + width);
  }
  return { ...rows, mask };
}

function conditionsOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Ensemble by ensemble, round by round. */
function metricsOf(trained: readonly (TrainedTrees | null)[], names: readonly string[]): object[] {
  return trained.flatMap((one, index) =>
    (one?.curve ?? []).map(({ round, trainLoss, validationLoss }) => ({ round, output: names[index], trainLoss, validationLoss })),
  );
}

/** What the bar says: "mid in 5 s (2 of 12): round 120/1000, loss 0.91, validation 0.94, 35 rounds/s, 40 s left at most". */
function watchRounds(
  progress: Progress,
  { names, wanted, rounds }: { names: readonly string[]; wanted: readonly boolean[]; rounds: number },
): (ensemble: number, score: RoundScore) => void {
  const count = wanted.filter(Boolean).length;
  let [begun, done, current] = [performance.now(), 0, -1];
  return (ensemble, { round, trainLoss, validationLoss }) => {
    if (ensemble !== current) [begun, done, current] = [performance.now(), 0, ensemble];
    else done++;
    const place = wanted.slice(0, ensemble).filter(Boolean).length;
    const perSecond = (1_000 * done) / Math.max(1, performance.now() - begun);
    const left = rounds - round + (count - place - 1) * rounds;
    const parts = [`${names[ensemble]} (${place + 1} of ${count}): round ${round}/${rounds}`, `loss ${trainLoss.toFixed(4)}`];
    if (validationLoss !== null) parts.push(`validation ${validationLoss.toFixed(4)}`);
    if (done > 0) parts.push(`${perSecond.toFixed(perSecond < 10 ? 1 : 0)} rounds/s`, `${Math.ceil(left / perSecond)} s left at most`);
    progress.update(place * rounds + round, parts.join(", "));
  };
}
