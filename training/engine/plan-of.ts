/** From a task to what its workers are told: the graphs, their sizes, and fresh shared memory. */

import { createOptimiser } from "../tensors/optimisers/registry.ts";
import { buildScoringPass } from "../tensors/scoring-pass.ts";
import { buildGradientStep, type GradientStep } from "../tensors/training-step.ts";
import type { EngineTask } from "./contract.ts";
import type { Plan } from "./plan.ts";
import { createSharedState } from "./shared-state.ts";

/** Floats of one call that scores validation rows: 4 MB of features, and at most so many rows. */
const BLOCK_FLOATS = 1_048_576;
const BLOCK_ROWS = 8_192;
/** Throws RangeError where the network's shape isn't that of the rows, ShapeError where it can't be built. */
export function planOf(task: Pick<EngineTask, "runtime" | "network" | "loss" | "shape" | "train" | "validation" | "settings">): {
  step: GradientStep;
  plan: Plan;
} {
  const { settings, train, validation, network, loss, shape } = task;
  const { workers, accumulate, batch } = settings;
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  if (size !== train.window * train.columns)
    throw new RangeError(`a network that takes [${shape.join(", ")}] can't be fed windows of ${train.window} rows of ${train.columns}`);
  const partRows = Math.ceil(batch / (workers * accumulate));
  const blockRows = Math.min(BLOCK_ROWS, Math.max(Math.floor(BLOCK_FLOATS / size), 1), validation.ends.length);
  const options = { shape, outputs: train.outputs, loss };
  const step = buildGradientStep(network, { ...options, rows: partRows });
  const stepsPerEpoch = Math.ceil(train.ends.length / batch);
  const shared = createSharedState(step, {
    workers,
    slots: createOptimiser(settings.optimiser).slots.length,
    items: train.ends.length,
    blocks: Math.ceil(validation.ends.length / blockRows),
  });
  const plan: Plan = {
    runtime: task.runtime.name,
    gradientModel: step.model,
    scoringModel: buildScoringPass(network, { ...options, rows: blockRows }),
    shape,
    partRows,
    blockRows,
    noiseCount: step.noiseCount,
    decayed: step.decayed,
    normLimits: step.normLimits,
    settings,
    train,
    validation,
    stepsPerEpoch,
    totalSteps: settings.epochs * stepsPerEpoch,
    shared,
  };
  return { step, plan };
}
