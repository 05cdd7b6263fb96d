/**
 * The learning rate of each step: a share of the first one (of one cycle, the highest), from the settings and the step's number alone, so that every worker knows it.
 *
 * One cycle is Smith and Topin 2018 ("Super-Convergence", arXiv 1708.07120): up, then down far below where it began. Its numbers and its half cosines are those of PyTorch's
 * OneCycleLR, whose rates it gives step for step; momentum stays as it is, which that class cycles too unless told.
 */

export type ScheduleSettings =
  | { readonly kind: "constant" | "linear" | "cosine" | "plateau" | "one-cycle"; readonly warmupSteps: number }
  /** Times `factor` after every `everyEpochs` epochs. */
  | { readonly kind: "step"; readonly warmupSteps: number; readonly everyEpochs: number; readonly factor: number };

export type ScheduleKind = ScheduleSettings["kind"];

/** Falls in a straight line to 0 with the last step. */
export const DEFAULT_SCHEDULE: ScheduleSettings = { kind: "linear", warmupSteps: 0 };
/** PyTorch's StepLR example and many recipes: a tenth, here every ten epochs. */
export const STEP_DEFAULTS = { everyEpochs: 10, factor: 0.1 } as const;

/** On a plateau, the rate is cut to this share … */
export const PLATEAU_FACTOR = 0.5;
/** … after so many epochs without a better validation loss; fewer than early stopping waits. */
export const PLATEAU_PATIENCE = 2;

/** One cycle rises in this share of all steps … */
const CYCLE_RISE = 0.3;
/** … from this share of the highest rate … */
const CYCLE_START = 1 / 25;
/** … and ends at this share of where it began. */
const CYCLE_END = 1 / 10_000;

export interface SchedulePosition {
  /** Steps already taken. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** @returns what the first rate is multiplied by. A plateau's cuts come on top: they depend on validation. */
export function shareAt(schedule: ScheduleSettings, { step, stepsPerEpoch, totalSteps }: SchedulePosition): number {
  const { warmupSteps } = schedule;
  if (step < warmupSteps) return (step + 1) / (warmupSteps + 1);
  const progress = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
  switch (schedule.kind) {
    case "constant":
    case "plateau":
      return 1;
    case "linear":
      return 1 - progress;
    case "one-cycle":
      return shareOfCycle(step, totalSteps);
    case "cosine":
      return (1 + cosineOfHalfTurns(progress)) / 2;
    case "step": {
      let share = 1;
      for (let epoch = Math.floor(step / stepsPerEpoch); epoch >= schedule.everyEpochs; epoch -= schedule.everyEpochs)
        share *= schedule.factor;
      return share;
    }
  }
}

/** Of the highest rate. Without a step to rise in it begins at the top. */
function shareOfCycle(step: number, totalSteps: number): number {
  const top = Math.max(CYCLE_RISE * totalSteps - 1, 0);
  if (step < top) return along(CYCLE_START, 1, step / top);
  return along(1, CYCLE_START * CYCLE_END, (step - top) / Math.max(totalSteps - 1 - top, 1));
}

/** By half a cosine from one to the other as `progress` goes from 0 to 1. */
function along(from: number, to: number, progress: number): number {
  return to + ((from - to) * (1 + cosineOfHalfTurns(progress))) / 2;
}

/** cos(πx) for x in [0, 1], by its series about the quarter turn: V8's own cosine differs between versions. Error below 1e-12. */
function cosineOfHalfTurns(x: number): number {
  const angle = Math.PI * (0.5 - x);
  const square = angle * angle;
  let term = angle;
  let sum = angle;
  for (let power = 2; power <= 20; power += 2) {
    term *= -square / (power * (power + 1));
    sum += term;
  }
  return sum;
}
