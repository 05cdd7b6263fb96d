/**
 * Trains boosted trees on histograms, on as many threads as wanted; the model is the same for any number of them.
 *
 * Several targets of the same rows (trainTreesForTargets): values are binned once, and the threads are kept, for all of them; each target's trees are
 * those that trainTrees gives for it alone.
 *
 * The calling thread is the first of them. Between rounds it gives way to whatever else waits for it, a ctrl-C say; within a round it does not.
 * A stopped training keeps the rounds that are done, and can go on from them.
 *
 * Histogram boosting: T. Chen, C. Guestrin, "XGBoost", 2016 (gains, missing values); G. Ke et al., "LightGBM", 2017 (leaf-wise growth, histograms).
 */

import { CommandError } from "../command-error.ts";
import { checkRows, checkSettings } from "./check-settings.ts";
import type {
  TrainedTrees,
  TrainTreesForTargetsOptions,
  TrainTreesOptions,
  TreeData,
  TreeRows,
  TreeSettings,
  TreeTarget,
} from "./contract.ts";
import { runSession } from "./session.ts";

/** Throws CommandError for rows and settings that nothing can be made of. */
export async function trainTrees(data: TreeData, options: TrainTreesOptions): Promise<TrainedTrees> {
  const { settings: own, from, ...others } = options;
  const { objective, ...settings } = own;
  const target = { objective, training: data.targets, validation: options.validation?.targets ?? null };
  const [trained] = await trainTreesForTargets(data, { ...others, settings, targets: [target], from: [from ?? null] });
  if (trained === undefined) throw new Error("nothing was trained");
  return trained;
}

/**
 * @returns an ensemble for each target, in their order. Targets whose turn had not come when the training was stopped have no trees.
 * Throws CommandError for rows, targets and settings that nothing can be made of.
 */
export async function trainTreesForTargets(features: TreeRows, options: TrainTreesForTargetsOptions): Promise<TrainedTrees[]> {
  const validation = options.validation ?? null;
  if (options.targets.length === 0) return [];
  for (const target of options.targets) checkTarget(features, validation, { target, settings: options.settings });
  return runSession({ ...options, features, validation });
}

function checkTarget(
  features: TreeRows,
  validation: TreeRows | null,
  { target, settings: shared }: { target: TreeTarget; settings: Omit<TreeSettings, "objective"> },
): void {
  const settings = { ...shared, objective: target.objective };
  checkSettings(settings, features.columns);
  checkRows({ ...features, targets: target.training }, settings, "training");
  if (validation === null) {
    if (settings.earlyStoppingRounds === null) return;
    throw new CommandError("stopping early needs validation rows: give some, or set earlyStoppingRounds to null");
  }
  checkRows({ ...validation, targets: target.validation ?? new Float32Array(0) }, settings, "validation");
  if (validation.columns === features.columns) return;
  throw new CommandError(`validation rows have ${validation.columns} columns, training rows ${features.columns}: prepare both alike`);
}
