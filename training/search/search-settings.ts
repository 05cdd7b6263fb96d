/**
 * A search for settings: some are drawn at random (Bergstra and Bengio 2012), all are tried with a small budget, the best share of them again with
 * a larger one, and so on up to the whole (successive halving: Jamieson and Talwalkar 2016). What a training is, it doesn't know: `trainOnce` may
 * train a network for some epochs, trees for some rounds, or a line.
 *
 * Everything random comes from the seed. A configuration is judged by its mean loss over all folds; one that fails in a fold (a loss that is no
 * number, settings that don't fit the data) is out, and counted. How many were tried is part of the result: the best of many is partly luck.
 */

import { Random } from "../../core/math/random.ts";
import { CommandError } from "../command-error.ts";
import { type Drawn, drawFrom, type Space } from "./space.ts";

/** @returns the validation loss. Throws CommandError where these settings can't be trained with. */
export type TrainOnce<Fold> = (settings: Drawn, budget: number, fold: Fold) => Promise<number>;

export interface SearchOptions<Fold> {
  readonly space: Space;
  readonly folds: readonly Fold[];
  readonly trainOnce: TrainOnce<Fold>;
  /** How many are drawn. Fewer are tried where the space has no more. */
  readonly configurations: number;
  readonly seed: number;
  readonly budgets: Budgets;
  /** Tried besides those drawn, before them: the settings as they stand, so that a search can't end below them. */
  readonly first?: readonly Drawn[];
  /** Called after each training. */
  readonly onTrained?: (done: number, total: number) => void;
}

/** In whatever unit `trainOnce` counts: epochs, rounds. */
export interface Budgets {
  readonly least: number;
  readonly most: number;
  /** From one round to the next; so many times fewer are kept. Above 1. */
  readonly factor: number;
}

export interface Trial {
  readonly settings: Drawn;
  /** In the order of the budgets; as many as it got to. */
  readonly rounds: readonly { readonly budget: number; readonly losses: readonly number[]; readonly loss: number }[];
  /** Why it is out; null: it isn't. */
  readonly failure: string | null;
}

export interface SearchResult {
  /** The least loss with the whole budget; where all that got that far failed there, the best of those that didn't. */
  readonly best: Trial;
  /** All, best first: those that got further stand before, then by their last loss, the failed last. */
  readonly trials: readonly Trial[];
  /** How many configurations were tried. */
  readonly configurations: number;
  readonly trainings: number;
  readonly failed: number;
}

/** Stopped by whoever asked for it, between two trainings or within one. */
export class SearchInterrupted extends Error {
  override readonly name = "SearchInterrupted";

  constructor() {
    super("the search was interrupted");
  }
}

/** Draws that repeat are drawn again; a small space may have no more. */
const DRAWS_A_CONFIGURATION = 20;

interface OpenTrial {
  readonly settings: Drawn;
  readonly rounds: { budget: number; losses: readonly number[]; loss: number }[];
  failure: string | null;
}

export async function searchSettings<Fold>(options: SearchOptions<Fold>): Promise<SearchResult> {
  check(options);
  const budgets = budgetsOf(options.budgets);
  const trials: OpenTrial[] = configurationsOf(options).map((settings) => ({ settings, rounds: [], failure: null }));
  const counter = counterOf(trials.length, options);
  let open = trials;
  for (const [index, budget] of budgets.entries()) {
    await tryAll(open, budget, { ...options, onEach: counter.count });
    open = open.filter(({ failure }) => failure === null).sort(byLastLoss);
    if (index < budgets.length - 1) open = open.slice(0, Math.ceil(open.length / options.budgets.factor));
  }
  const ranked = trials.toSorted(byRank);
  const [best] = ranked;
  if (best === undefined || best.failure !== null)
    throw new CommandError(`none of ${trials.length} configurations could be trained; the first: ${trials[0]?.failure}`);
  return {
    best,
    trials: ranked,
    configurations: trials.length,
    trainings: counter.trained(),
    failed: trials.filter(({ failure }) => failure !== null).length,
  };
}

/** The budgets from the least to the most, each `factor` times the one before; the last step may be shorter. */
export function budgetsOf({ least, most, factor }: Budgets): number[] {
  const budgets: number[] = [];
  for (let budget = least; budget < most; budget = Math.ceil(budget * factor)) budgets.push(budget);
  return [...budgets, most];
}

/** Fold by fold, so that whoever trains prepares each fold's rows once. */
async function tryAll<Fold>(
  trials: readonly OpenTrial[],
  budget: number,
  task: SearchOptions<Fold> & { onEach: () => void },
): Promise<void> {
  const losses = trials.map((): number[] => []);
  for (const fold of task.folds) {
    for (const [index, trial] of trials.entries()) {
      if (trial.failure !== null) continue;
      try {
        const loss = await task.trainOnce(trial.settings, budget, fold);
        if (Number.isFinite(loss)) losses[index]?.push(loss);
        else trial.failure = `the validation loss is ${loss}`;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        trial.failure = error.message;
      }
      task.onEach();
    }
  }
  for (const [index, trial] of trials.entries()) {
    const own = losses[index] ?? [];
    if (trial.failure === null) trial.rounds.push({ budget, losses: own, loss: own.reduce((sum, loss) => sum + loss, 0) / own.length });
  }
}

function configurationsOf<Fold>({ space, configurations, seed, first = [] }: SearchOptions<Fold>): Drawn[] {
  const random = new Random(seed);
  const found = new Map<string, Drawn>(first.map((settings) => [keyOf(settings), settings]));
  const wanted = found.size + configurations;
  for (let draws = 0; found.size < wanted && draws < configurations * DRAWS_A_CONFIGURATION; draws++) {
    const settings = drawFrom(space, random);
    found.set(keyOf(settings), settings);
  }
  return [...found.values()];
}

function keyOf(settings: Drawn): string {
  return JSON.stringify(Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Ties stay in the order in which they were drawn. */
function byLastLoss(one: Trial, other: Trial): number {
  return (one.rounds.at(-1)?.loss ?? 0) - (other.rounds.at(-1)?.loss ?? 0);
}

function byRank(one: Trial, other: Trial): number {
  const [failed, otherFailed] = [Number(one.failure !== null), Number(other.failure !== null)];
  return failed - otherFailed || other.rounds.length - one.rounds.length || byLastLoss(one, other);
}

/** Counts trainings; how many there will be is known only as long as none fails. */
function counterOf<Fold>(trials: number, { budgets, folds, onTrained }: SearchOptions<Fold>): { count: () => void; trained: () => number } {
  let open = trials;
  let total = 0;
  for (const _ of budgetsOf(budgets)) {
    total += open * folds.length;
    open = Math.ceil(open / budgets.factor);
  }
  let done = 0;
  return {
    count: () => {
      done++;
      onTrained?.(done, total);
    },
    trained: () => done,
  };
}

function check<Fold>({ configurations, folds, budgets }: SearchOptions<Fold>): void {
  if (!Number.isSafeInteger(configurations) || configurations < 1)
    throw new CommandError(`--configurations ${configurations} is not a positive whole number`);
  if (folds.length === 0) throw new CommandError("a search needs at least one fold");
  const { least, most, factor } = budgets;
  if (!(least > 0 && least <= most && factor > 1))
    throw new CommandError(`budgets from ${least} to ${most}, each ${factor} times the one before, are none`);
}
