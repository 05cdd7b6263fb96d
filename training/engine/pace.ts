/** How fast a training goes and how long it will take, from a clock that nothing else depends on. */

import type { EngineProgress } from "./contract.ts";
import type { Plan } from "./plan.ts";
import type { TrainSettings } from "./settings.ts";

/** The speed is that of the last looks, ten of them a second: so long that validation between epochs evens out, so short that a change is seen. */
const LOOKS = 150;

interface Look {
  readonly step: number;
  readonly seconds: number;
}

export class Pace {
  validationLoss: number | null = null;
  private readonly settings: TrainSettings;
  private readonly plan: Plan;
  private readonly now: () => number;
  private readonly looks: Look[] = [];

  /** @param now milliseconds. */
  constructor(settings: TrainSettings, plan: Plan, now: () => number = () => performance.now()) {
    this.settings = settings;
    this.plan = plan;
    this.now = now;
  }

  at({ epoch, done, loss }: { epoch: number; done: number; loss: number }): EngineProgress {
    const { stepsPerEpoch, totalSteps } = this.plan;
    const step = epoch * stepsPerEpoch + done;
    const perSecond = this.stepsPerSecond({ step, seconds: this.now() / 1_000 });
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

  /** Counted from the first look: what came before it, starting threads or steps of a training that goes on, is no speed. */
  private stepsPerSecond(look: Look): number {
    this.looks.push(look);
    if (this.looks.length > LOOKS) this.looks.shift();
    const [first = look] = this.looks;
    return look.seconds > first.seconds ? (look.step - first.step) / (look.seconds - first.seconds) : 0;
  }
}
