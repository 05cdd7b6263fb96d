/**
 * One worker's share of the training. A step, on every worker at once:
 *
 * 1. the gradient of its own rows, into shared memory;
 * 2. barrier: all gradients are there;
 * 3. on its own slice of the flat vector: the sum of all gradients, in the order of the workers, clipped, and the optimiser's step;
 * 4. barrier: all parameters are there; where some are held within a norm, each worker scales its share of those, and there is a barrier more.
 *
 * Everything else is decided by each worker for itself from the step's number: its rows, the rate, the noise. So no message is sent between steps, and
 * nothing is allocated. It stops after a step when asked to, or before one whose loss is no number; the same one on every worker.
 */

import type { Runtime, Session } from "../runtime/contract.ts";
import { limitNorms, type NormLimit } from "../tensors/max-norm.ts";
import type { Optimiser } from "../tensors/optimisers/contract.ts";
import { createOptimiser } from "../tensors/optimisers/registry.ts";
import { Barrier } from "./barrier.ts";
import { createLane, type Lane } from "./lane.ts";
import { fillNoise } from "./noise.ts";
import type { Command, Plan, StepsCommand } from "./plan.ts";
import { openRowReader, type RowReader } from "./row-reader.ts";
import { weightBetween } from "./row-source.ts";
import { shareAt } from "./schedule.ts";
import { CONTROL, NUMBERS } from "./shared-state.ts";

/** What of a batch's mean and variance goes into the running ones: PyTorch's and Keras's usual tenth and hundredth differ; this is PyTorch's. */
const STATISTICS_BLEND = 0.1;
/** In a thread that others need too, how long to hold it, ms: signals and progress wait as long. */
const LONGEST_HOLD_MS = 20;

export interface ShareOptions {
  readonly runtime: Runtime;
  readonly worker: number;
  /** Whether the thread has other work (it is the only one) and must be let go of now and then. */
  readonly isLeader: boolean;
}

export class Share {
  private readonly plan: Plan;
  private readonly worker: number;
  private readonly isLeader: boolean;
  private readonly barrier: Barrier;
  private readonly optimiser: Optimiser;
  private readonly slice: Slice;
  /** Every `workers`-th of the parameters that are held within a norm. */
  private readonly limits: readonly NormLimit[];
  private readonly sessions: readonly [Session, Session];
  private readonly readers: readonly [RowReader, RowReader];
  private readonly lanes: readonly [Lane, Lane];
  private readonly scoringLane: Lane;
  private readonly partLoss = new Float32Array(1);
  private readonly blockLoss = new Float32Array(1);
  private readonly partGradient: Float32Array;
  private readonly partObserved: Float32Array;
  private taken = -1;
  private heldSince = 0;

  static async open(plan: Plan, options: ShareOptions): Promise<Share> {
    const gradient = await options.runtime.open(plan.gradientModel);
    return new Share(plan, options, [gradient, await options.runtime.open(plan.scoringModel)]);
  }

  private constructor(plan: Plan, options: ShareOptions, sessions: readonly [Session, Session]) {
    const { shared, settings, train, validation, shape } = plan;
    this.plan = plan;
    this.worker = options.worker;
    this.isLeader = options.isLeader;
    this.sessions = sessions;
    this.barrier = new Barrier(shared.barrier, settings.workers);
    this.optimiser = createOptimiser(settings.optimiser);
    this.slice = sliceOf(plan, options.worker);
    this.limits = plan.normLimits.filter((_, index) => index % settings.workers === options.worker);
    this.readers = [openRowReader(train), openRowReader(validation)];
    const isWhole = settings.accumulate === 1;
    const gradient = shared.gradients[options.worker] as Float32Array;
    const observed = shared.observed[options.worker] as Float32Array;
    this.partGradient = isWhole ? gradient : new Float32Array(gradient.length);
    this.partObserved = isWhole ? observed : new Float32Array(observed.length);
    const { parameters, statistics } = shared;
    const lane = (): Lane =>
      createLane(
        sessions[0],
        { source: train, reader: this.readers[0] },
        {
          rows: plan.partRows,
          shape,
          noiseCount: plan.noiseCount,
          inputs: { parameters },
          outputs: { loss: this.partLoss, gradient: this.partGradient, observed: this.partObserved },
        },
      );
    this.lanes = [lane(), lane()];
    this.scoringLane = createLane(
      sessions[1],
      { source: validation, reader: this.readers[1] },
      { rows: plan.blockRows, shape, noiseCount: 0, inputs: { parameters, statistics }, outputs: { loss: this.blockLoss } },
    );
  }

  async obey(command: Command): Promise<void> {
    if (command.kind === "steps") await this.steps(command);
    else await this.score();
  }

  async close(): Promise<void> {
    for (const reader of this.readers) reader.close();
    for (const session of this.sessions) await session.release();
  }

  private async steps(command: StepsCommand): Promise<void> {
    const { shared, settings, normLimits } = this.plan;
    const { accumulate } = settings;
    const last = command.to * accumulate;
    const reader = this.readers[0];
    let part = command.from * accumulate;
    let ready = this.fill(part, command);
    for (let step = command.from; step < command.to; step++) {
      let loss = 0;
      for (let turn = 0; turn < accumulate; turn++) {
        if (ready !== null) await ready;
        const lane = this.lanes[part % 2] as Lane;
        part++;
        const isMore = part < last;
        ready = isMore && reader.isSlow ? this.fill(part, command) : null;
        const running = lane.run();
        if (running !== null) await running;
        loss += this.partLoss[0] as number;
        if (accumulate > 1) this.collect(turn);
        if (isMore && !reader.isSlow) ready = this.fill(part, command);
      }
      shared.losses[this.worker] = loss;
      this.barrier.arrive();
      if (!this.take(command.taken + step, step)) break;
      this.barrier.arrive();
      if (normLimits.length > 0) {
        limitNorms(shared.parameters, this.limits);
        this.barrier.arrive();
      }
      if (shared.control[CONTROL.decision] === 1) break;
      if (this.isLeader) await this.letGo();
    }
    if (ready !== null) await ready;
  }

  /** Fills the lane of a part (counted through the epoch) with this worker's rows of it. */
  private fill(part: number, { taken }: StepsCommand): Promise<void> | null {
    const { settings, train, partRows, noiseCount, shared } = this.plan;
    const lane = this.lanes[part % 2] as Lane;
    const first = Math.floor(part / settings.accumulate) * settings.batch;
    const inBatch = Math.min(settings.batch, shared.order.length - first);
    const start = ((part % settings.accumulate) * settings.workers + this.worker) * partRows;
    for (let row = 0; row < partRows; row++) lane.items[row] = shared.order[first + ((start + row) % inBatch)] as number;
    const total = weightBetween(train, shared.order, { first, end: first + inBatch });
    if (noiseCount > 0) fillNoise(lane.noise, { seed: settings.seed, call: taken * settings.accumulate + part, worker: this.worker });
    // A batch none of whose rows has a target teaches nothing: its loss is 0 / 1.
    return lane.fill(Math.min(Math.max(inBatch - start, 0), partRows), total === 0 ? 1 : total);
  }

  /** Adds a part's gradient to those before it in the same step. */
  private collect(turn: number): void {
    const { shared, settings } = this.plan;
    const gradient = shared.gradients[this.worker] as Float32Array;
    const observed = shared.observed[this.worker] as Float32Array;
    if (turn === 0) gradient.set(this.partGradient);
    else addTo(gradient, this.partGradient);
    for (let at = 0; at < observed.length; at++) {
      observed[at] = (turn === 0 ? 0 : (observed[at] as number)) + (this.partObserved[at] as number) / settings.accumulate;
    }
  }

  /** Takes the step on this worker's slice. @returns false when the loss was no number, and nothing was done. */
  private take(number: number, step: number): boolean {
    const { shared, settings, stepsPerEpoch, totalSteps } = this.plan;
    let loss = 0;
    for (let worker = 0; worker < settings.workers; worker++) loss += shared.losses[worker] as number;
    if (!Number.isFinite(loss)) {
      if (this.worker === 0) Atomics.store(shared.control, CONTROL.failed, 1);
      return false;
    }
    this.sumGradients();
    const share = shareAt(settings.schedule, { step: number, stepsPerEpoch, totalSteps });
    const rate = settings.learningRate * share * (shared.numbers[NUMBERS.plateau] as number);
    if (this.taken !== number) this.optimiser.seek(number);
    this.optimiser.step(this.slice, rate);
    this.taken = number + 1;
    if (this.worker === 0) this.report({ step, loss, rate });
    return true;
  }

  /** In the order of the workers, so that the same rows give the same bits. */
  private sumGradients(): void {
    const { shared, settings } = this.plan;
    const { gradient } = this.slice;
    const [first, second, ...more] = this.slice.parts;
    if (first !== undefined && second !== undefined) {
      for (let at = 0; at < gradient.length; at++) gradient[at] = (first[at] as number) + (second[at] as number);
      for (const part of more) addTo(gradient, part);
    }
    const { norm, value } = settings.clip;
    if (value !== null)
      for (let at = 0; at < gradient.length; at++) gradient[at] = Math.min(Math.max(gradient[at] as number, -value), value);
    if (norm === null) return;
    let square = 0;
    for (let at = 0; at < gradient.length; at++) square += (gradient[at] as number) * (gradient[at] as number);
    shared.squares[this.worker] = square;
    this.barrier.arrive();
    let whole = 0;
    for (let worker = 0; worker < settings.workers; worker++) whole += shared.squares[worker] as number;
    const length = Math.sqrt(whole);
    if (length > norm) for (let at = 0; at < gradient.length; at++) gradient[at] = (gradient[at] as number) * (norm / length);
  }

  private report({ step, loss, rate }: { step: number; loss: number; rate: number }): void {
    const { shared, settings } = this.plan;
    const { statistics, numbers, control } = shared;
    for (let at = 0; at < statistics.length; at++) {
      let seen = 0;
      for (let worker = 0; worker < settings.workers; worker++) seen += shared.observed[worker]?.[at] as number;
      statistics[at] = (1 - STATISTICS_BLEND) * (statistics[at] as number) + (STATISTICS_BLEND * seen) / settings.workers;
    }
    numbers[NUMBERS.lossSum] = (numbers[NUMBERS.lossSum] as number) + loss * this.weightOf(step);
    numbers[NUMBERS.lastLoss] = loss;
    numbers[NUMBERS.lastRate] = rate;
    Atomics.store(control, CONTROL.done, step + 1);
    Atomics.store(control, CONTROL.decision, Atomics.load(control, CONTROL.stop));
  }

  /** Of the batch that a step takes. */
  private weightOf(step: number): number {
    const { settings, train, shared } = this.plan;
    const first = step * settings.batch;
    return weightBetween(train, shared.order, { first, end: Math.min(first + settings.batch, shared.order.length) });
  }

  /** Every `workers`-th block of the validation rows. */
  private async score(): Promise<void> {
    const { validation, blockRows, settings, shared } = this.plan;
    const lane = this.scoringLane;
    const items = validation.ends.length;
    for (let block = this.worker; block * blockRows < items; block += settings.workers) {
      const filled = Math.min(blockRows, items - block * blockRows);
      for (let row = 0; row < blockRows; row++) lane.items[row] = block * blockRows + (row % filled);
      const ready = lane.fill(filled, 1);
      if (ready !== null) await ready;
      const running = lane.run();
      if (running !== null) await running;
      shared.blockLosses[block] = this.blockLoss[0] as number;
      if (this.isLeader) await this.letGo();
    }
  }

  private async letGo(): Promise<void> {
    const now = performance.now();
    if (now - this.heldSince < LONGEST_HOLD_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.heldSince = performance.now();
  }
}

/** A worker's slice of everything flat. */
interface Slice {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly state: readonly Float32Array[];
  readonly decayed: Float32Array;
  /** One a worker: its gradient there. */
  readonly parts: readonly Float32Array[];
}

function sliceOf({ shared, settings, decayed }: Plan, worker: number): Slice {
  const count = shared.parameters.length;
  const from = Math.floor((count * worker) / settings.workers);
  const to = Math.floor((count * (worker + 1)) / settings.workers);
  const parts = shared.gradients.map((gradient) => gradient.subarray(from, to));
  return {
    parameters: shared.parameters.subarray(from, to),
    gradient: settings.workers === 1 ? (parts[0] as Float32Array) : new Float32Array(to - from),
    state: shared.state.map((slot) => slot.subarray(from, to)),
    decayed: decayed.subarray(from, to),
    parts,
  };
}

function addTo(sum: Float32Array, part: Float32Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (part[at] as number);
}
