/** How fast a training goes and how long it will take, from a clock that nothing else depends on. */

import type { EngineProgress } from "./contract.ts";
import type { Plan } from "./plan.ts";
import type { TrainSettings } from "./settings.ts";

export class Pace {
  validationLoss: number | null = null;
  private readonly settings: TrainSettings;
  private readonly plan: Plan;
  private readonly startedAt = performance.now();
  private firstStep = 0;

  constructor(settings: TrainSettings, plan: Plan) {
    this.settings = settings;
    this.plan = plan;
  }

  /** For a training that goes on: steps of before don't count for its speed. */
  startAt(epoch: number, step: number): void {
    this.firstStep = epoch * this.plan.stepsPerEpoch + step;
  }

  at({ epoch, done, loss }: { epoch: number; done: number; loss: number }): EngineProgress {
    const { stepsPerEpoch, totalSteps } = this.plan;
    const step = epoch * stepsPerEpoch + done;
    const seconds = (performance.now() - this.startedAt) / 1_000;
    const perSecond = seconds > 0 ? (step - this.firstStep) / seconds : 0;
    return {
      epoch: epoch + 1,
      epochs: this.settings.epochs,
      step,
      totalSteps,
      loss,
      validationLoss: this.validationLoss,
      rowsPerSecond: perSecond * this.settings.batch,
      secondsLeft: perSecond > 0 ? (totalSteps - step) / perSecond : null,
    };
  }
}
