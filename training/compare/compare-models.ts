/**
 * The comparison: in each fold every model is fitted on the same rows and answers the same test rows, combinations follow from the validation rows
 * alone, and then all are scored, once. What the test rows came to is opened last: until then a model is given no move of theirs but those that had ended, row by row
 * (ended-moves.ts).
 */

import { join } from "node:path";
import { CommandError } from "../command-error.ts";
import { describeSource } from "../datasets/card.ts";
import type { Progress } from "../progress.ts";
import type { Runtime } from "../runtime/contract.ts";
import { type AlignedData, blindfolded } from "./aligned-data.ts";
import { codedVerdicts } from "./coded-verdict.ts";
import type { Combination, Forecasts } from "./combine/combination.ts";
import type { ComparedResult, Comparison, FoldFacts, RowRange } from "./comparison.ts";
import type { ComparedModel, ModelTask } from "./contract.ts";
import { measureServed, type ServedCosts } from "./costs/measure-served.ts";
import { endedMoves } from "./ended-moves.ts";
import { conditionsOf, FITTED_MODELS, type KeptModel, keepModel, keptModel, MODEL_FILE } from "./fitted-store.ts";
import type { Fold } from "./folds.ts";
import { scoreFreeLabels } from "./free-labels.ts";
import type { Planned } from "./plan-comparison.ts";
import { type ModelScores, scoreAll } from "./score/score-all.ts";
import { suspicionsOf } from "./score/suspicions.ts";

export interface CompareOptions extends Planned {
  readonly models: readonly ComparedModel[];
  readonly combinations: readonly Combination[];
  /** Where finished models are kept. */
  readonly out: string;
  /** Takes up those that are there, of the same conditions. */
  readonly resume: boolean;
  readonly runtime: Runtime;
  readonly threads: number;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  readonly commit: string | null;
  readonly onWarning?: (message: string) => void;
  /** A model is done, or was taken up. */
  readonly onModel?: (done: { id: string; fold: number; seconds: number; isKept: boolean }) => void;
}

/** What one model answered, fold by fold. */
export interface Answered extends Pick<ComparedModel, "id" | "kind" | "title" | "reads" | "window"> {
  readonly folds: readonly KeptModel[];
}

const COMBINED_KINDS: ReadonlySet<string> = new Set(["line", "trees", "network"]);

export async function compareModels(options: CompareOptions): Promise<Comparison> {
  const { data, folds, models } = options;
  const refused = models.flatMap(({ id, refusal }) => {
    const reason = refusal(data);
    return reason === null ? [] : [{ id, reason }];
  });
  const able = models.filter(({ id }) => !refused.some((one) => one.id === id));
  const byFold: Map<string, KeptModel>[] = [];
  for (const [index, fold] of folds.entries()) byFold.push(await fitFold(options, { able, fold, index, refused }));
  const single = able
    .filter(({ id }) => !refused.some((one) => one.id === id))
    .map((model) => ({ ...model, folds: byFold.map((own) => own.get(model.id) as KeptModel) }));
  const answered = [...single, ...combined(options, single)];
  const scores = scoreAll(data, folds, answered);
  const served = await costsOf(options, answered);
  const results = answered.map((one, at) => resultOf(one, { ...(scores[at] ?? { scores: [], slices: [] }), served: served[at] ?? null }));
  const { labelled } = options;
  return {
    format: "edgebook-compare/1",
    commit: options.commit,
    data: [...data.sets.values()].map(({ id, dataset }) => ({ features: id, sha256: dataset.card.sha256, rows: dataset.rows })),
    source: describeSource(data.main.dataset.card),
    markets: data.markets,
    label: data.label,
    intervalMs: data.intervalMs,
    outputs: data.columns,
    rows: data.rows,
    folds: folds.map((fold) => factsOf(data, fold)),
    protocol: options.protocol,
    purgeMs: options.purgeMs,
    configurations: answered.reduce((sum, { folds: own }) => sum + (own[0]?.configurations ?? 0), 0),
    models: results,
    suspicions: suspicionsOf(data, results),
    coded: codedVerdicts(results),
    free: labelled === null ? [] : await scoreFreeLabels(labelled.data, { ...options, folds: labelled.folds }),
    refused,
  };
}

/** By model. Whoever finds that it can't be fitted joins the refused, and the others go on. */
async function fitFold(
  options: CompareOptions,
  { able, fold, index, refused }: { able: readonly ComparedModel[]; fold: Fold; index: number; refused: { id: string; reason: string }[] },
): Promise<Map<string, KeptModel>> {
  const { data, runtime, threads, progress, signal } = options;
  const task: ModelTask = {
    data: blindfolded(data, fold.test),
    fit: fold.fit,
    validation: fold.validation,
    test: fold.test,
    ended: endedMoves(data),
    ...{ runtime, threads, progress },
    ...(signal === undefined ? {} : { signal }),
  };
  const fitted = new Map<string, KeptModel>();
  for (const model of able) {
    signal?.throwIfAborted();
    if (refused.some(({ id }) => id === model.id)) continue;
    const folder = folderOf(options.out, model.id, index);
    const conditions = conditionsFor(options, model, fold);
    const kept = options.resume ? await keptModel(folder, conditions) : null;
    const done = kept ?? (await fitOrRefuse(model, task));
    if ("reason" in done) {
      progress.stop();
      options.onWarning?.(`${model.id} is left out: ${done.reason}`);
      refused.push({ id: model.id, reason: done.reason });
      continue;
    }
    if (kept === null) await keepModel(folder, conditions, done);
    options.onModel?.({ id: model.id, fold: index, seconds: done.seconds, isKept: kept !== null });
    fitted.set(model.id, done);
  }
  return fitted;
}

async function fitOrRefuse(model: ComparedModel, task: ModelTask): Promise<KeptModel | { readonly reason: string }> {
  try {
    return await timed(() => model.fit(task));
  } catch (error) {
    if (error instanceof CommandError) return { reason: error.message };
    throw error;
  }
}

async function timed(work: () => Promise<Omit<KeptModel, "seconds">>): Promise<KeptModel> {
  const begun = performance.now();
  const fitted = await work();
  return { ...fitted, seconds: (performance.now() - begun) / 1_000 };
}

/** Rows follow from data, windows and bounds; the bounds are told by the rows that they leave. */
function conditionsFor({ data, commit, threads }: CompareOptions, model: ComparedModel, fold: Fold): string {
  const rowsOf = (rows: Uint32Array): readonly number[] => [rows.length, rows[0] ?? -1, rows.at(-1) ?? -1];
  return conditionsOf([
    // Other code may fit the same settings otherwise.
    commit,
    model.id,
    model.settings,
    [...data.sets.values()].map(({ dataset }) => dataset.card.sha256),
    // Threads divide batches, and what is normalised by batches learns otherwise by halves.
    threads,
    data.rows,
    data.columns,
    [fold.fit, fold.validation, fold.test].map(rowsOf),
  ]);
}

function combined({ data, folds, combinations }: CompareOptions, single: readonly Answered[]): Answered[] {
  const members = single.filter(({ kind }) => COMBINED_KINDS.has(kind));
  if (members.length < 2) return [];
  return combinations.map(({ id, title, combine }) => ({
    ...{ id, title, kind: "combination" as const, reads: null, window: 1 },
    folds: folds.map((fold, index) => {
      const forecasts: Forecasts[] = members.map((member) => ({ ...(member.folds[index] as KeptModel), id: member.id }));
      const made = combine({ data: blindfolded(data, fold.test), validation: fold.validation, members: forecasts });
      return { ...made, isRefitted: false, served: null, seconds: 0 };
    }),
  }));
}

/** Of each model's last file; a process after the other, so that none waits for another. */
async function costsOf(
  { out, folds, progress, onWarning }: CompareOptions,
  answered: readonly Answered[],
): Promise<(ServedCosts | null)[]> {
  const costs: (ServedCosts | null)[] = [];
  progress.start("timing the served files", answered.length);
  for (const { id, folds: own } of answered) {
    const served = own.at(-1)?.served ?? null;
    const path = join(folderOf(out, id, folds.length - 1), MODEL_FILE);
    const shape = served === null ? [] : served.window === 1 ? [served.columns] : [served.window, served.columns];
    costs.push(
      served === null ? null : await measureServed(path, { inputName: served.inputName, shape, tell: (message) => onWarning?.(message) }),
    );
    progress.update(costs.length);
  }
  progress.stop();
  return costs;
}

function folderOf(out: string, id: string, fold: number): string {
  return join(out, FITTED_MODELS, id, `fold-${fold + 1}`);
}

function resultOf(
  { id, kind, title, reads, window, folds }: Answered,
  { served, ...scores }: ModelScores & { served: ServedCosts | null },
): ComparedResult {
  return {
    ...{ id, kind, title, reads, window },
    configurations: folds[0]?.configurations ?? 0,
    isRefitted: folds[0]?.isRefitted ?? false,
    notes: folds.map(({ notes }) => notes),
    ...scores,
    costs: { fitSeconds: folds.reduce((sum, { seconds }) => sum + seconds, 0), served },
  };
}

function factsOf(data: AlignedData, fold: Fold): FoldFacts {
  const range = (rows: Uint32Array): RowRange => {
    const times = Array.from(rows, (row) => data.times[row] as number);
    return {
      from: times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY),
      to: times.reduce((most, time) => Math.max(most, time), 0),
      rows: rows.length,
    };
  };
  return { fit: range(fold.fit), validation: range(fold.validation), test: range(fold.test) };
}
