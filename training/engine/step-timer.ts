/**
 * Steady-state steps of any network on random rows of given shapes, timed: what a bench puts beside another library. The very engine that trains, with
 * its workers, barriers, gathering and optimiser; no validation, no checkpoint.
 */

import { Random } from "../../core/math/random.ts";
import type { Runtime } from "../runtime/contract.ts";
import type { Loss } from "../tensors/losses/contract.ts";
import type { Network } from "../tensors/training-step.ts";
import { drawOrder, randomOfEpoch } from "./noise.ts";
import { planOf } from "./plan-of.ts";
import { createRowSource, type RowSource, weightBetween } from "./row-source.ts";
import { checkSettings, type TrainSettings } from "./settings.ts";
import { CONTROL, NUMBERS } from "./shared-state.ts";
import { openTeam } from "./team.ts";

export interface StepTimerOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly loss: Loss;
  /** Of one row, e.g. [40] or [100, 40]. */
  readonly shape: readonly number[];
  readonly outputs: number;
  readonly settings: TrainSettings;
  /** What is trained on; random rows unless given. */
  readonly rows?: RowSource;
  /** The first parameters, flat; drawn from the seed unless given. */
  readonly parameters?: Float32Array;
}

export interface StepTimer {
  /** Takes steps. @returns milliseconds each took in the mean, and the mean loss of them. */
  time(steps: number): Promise<{ readonly msPerStep: number; readonly loss: number }>;
  /** The parameters as they are. */
  readonly parameters: Float32Array;
  close(): Promise<void>;
}

/** Batches' worth of random rows: enough that no worker's rows stay in its nearest cache. */
const RANDOM_BATCHES = 16;

export async function openStepTimer(options: StepTimerOptions): Promise<StepTimer> {
  const { settings } = options;
  const train = options.rows ?? randomRows(options);
  checkSettings(settings, train.ends.length);
  const { step, plan } = planOf({ ...options, train, validation: train });
  const { shared, stepsPerEpoch } = plan;
  shared.parameters.set(options.parameters ?? step.initialise(randomOfEpoch(settings.seed, 0)));
  const team = await openTeam(plan, options.runtime);
  let taken = 0;
  return {
    parameters: shared.parameters,
    async time(steps) {
      let ms = 0;
      let [sum, weight] = [0, 0];
      for (let left = steps; left > 0; ) {
        const from = taken % stepsPerEpoch;
        const to = Math.min(stepsPerEpoch, from + left);
        const epoch = Math.floor(taken / stepsPerEpoch);
        if (from === 0) drawOrder(shared.order, randomOfEpoch(settings.seed, epoch + 1));
        shared.control.fill(0);
        shared.numbers[NUMBERS.lossSum] = 0;
        const start = performance.now();
        await team.obey({ kind: "steps", taken: epoch * stepsPerEpoch, from, to });
        ms += performance.now() - start;
        if (Atomics.load(shared.control, CONTROL.failed) === 1) throw new Error(`the loss became ${shared.losses.join(" + ")}`);
        sum += shared.numbers[NUMBERS.lossSum] as number;
        weight += weightBetween(train, shared.order, {
          first: from * settings.batch,
          end: Math.min(to * settings.batch, shared.order.length),
        });
        taken += to - from;
        left -= to - from;
      }
      return { msPerStep: ms / steps, loss: sum / weight };
    },
    close: () => team.close(),
  };
}

function randomRows({ shape, outputs, settings, loss }: StepTimerOptions): RowSource {
  const random = new Random(settings.seed);
  const items = settings.batch * RANDOM_BATCHES;
  const window = shape.length > 1 ? (shape[0] as number) : 1;
  const columns = shape.reduce((product, dimension) => product * dimension, 1) / window;
  const tableRows = items + window - 1;
  const targets = new Float32Array(items * outputs);
  // One class of each row, which other losses take as well.
  for (let item = 0; item < items; item++) targets[item * outputs + random.integerBelow(outputs)] = 1;
  return createRowSource({
    table: { kind: "memory", values: Float32Array.from({ length: tableRows * columns }, () => random.normal()) },
    tableRows,
    columns,
    window,
    ends: Uint32Array.from({ length: items }, (_, item) => item + window - 1),
    outputs,
    targets,
    weights: new Float32Array(items * (loss.weightsPer === "cell" ? outputs : 1)).fill(1),
    weightsPer: loss.weightsPer,
  });
}
