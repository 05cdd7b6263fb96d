/** What a bench hands back, and how rounds are timed: paired and alternating, so that a slow moment of the machine hits both sides. */

/** One result: a JSON line. `ratio` is how many times faster than the peer named in the result (above 1: faster). */
export interface BenchResult {
  readonly name: string;
  /** What was worked on, e.g. {frames, levelUpdates}. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Median time of one round. */
  readonly seconds: number;
  readonly ratio?: number;
  readonly peer?: string;
  /** Content hash of the state that the work ended in: equal work, equal hash. */
  readonly hash: string;
  readonly [detail: string]: unknown;
}

export interface BenchOptions {
  /** Path of the recording to work on; null for the bench's own. */
  readonly file: string | null;
  readonly rounds: number;
}

export type Bench = (options: BenchOptions) => Promise<BenchResult[]>;

/** One contender of a round: `prepare` is not timed, `work` is. */
export interface Contender {
  readonly name: string;
  prepare(): void;
  work(): void;
}

const WARM_UP_ROUNDS = 3;

/**
 * Times each contender once a round, the order turning from round to round.
 * @returns seconds by contender, [contenders][rounds].
 */
export function timeRounds(contenders: readonly Contender[], rounds: number): number[][] {
  const seconds: number[][] = contenders.map(() => []);
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (turn + round + WARM_UP_ROUNDS) % contenders.length;
      const contender = contenders[at] as Contender;
      contender.prepare();
      const start = performance.now();
      contender.work();
      const elapsed = (performance.now() - start) / 1_000;
      if (round >= 0) (seconds[at] as number[]).push(elapsed);
    }
  }
  return seconds;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("median of nothing");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Median over rounds of peer time / own time: how many times faster `own` is. */
export function pairedRatio(own: readonly number[], peer: readonly number[]): number {
  return median(own.map((seconds, round) => (peer[round] as number) / seconds));
}
