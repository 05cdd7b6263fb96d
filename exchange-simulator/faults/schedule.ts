/**
 * Random faults by a seed: a Poisson stream of orders at times of the simulated clock. It depends on the seed, the rate and what is listed, on no client:
 * the same seed is the same schedule.
 */

import { Random } from "../../core/math/random.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import type { Channel } from "../venue.ts";
import type { FaultName, FaultOrder } from "./fault.ts";

export interface ScheduleSetup {
  /** An integer in [0, 2^53). */
  readonly seed: number;
  /** Faults a minute of the simulated clock, over all venues. */
  readonly ratePerMinute: number;
  readonly startTime: number;
  readonly venues: readonly { readonly venue: string; readonly symbols: readonly string[]; readonly hasRestBook: boolean }[];
}

/** How often each is drawn, of 100: what costs a connection is rarer than what costs a frame. */
const WEIGHTS: readonly (readonly [FaultName, number])[] = [
  ["drop", 20],
  ["duplicate", 8],
  ["reorder", 8],
  ["delay", 8],
  ["corrupt", 6],
  ["truncate", 5],
  ["crossed-book", 6],
  ["stale-snapshot", 6],
  ["id-map", 5],
  ["silence", 8],
  ["close-1006", 4],
  ["tcp-reset", 3],
  ["close-24h", 2],
  ["http-429", 3],
  ["http-418", 1],
  ["http-451", 1],
  ["slow-rest", 3],
  ["clock-skew", 3],
];
const CHANNELS: readonly (readonly [Channel, number])[] = [
  ["depth", 70],
  ["trade", 15],
  ["quote", 15],
];
/** Without an occasion in this time a scheduled fault is given up, so that none pile up. */
const WITHIN_MS = MS_PER_MINUTE;

export function* faultSchedule({ seed, ratePerMinute, startTime, venues }: ScheduleSetup): Generator<FaultOrder & { readonly at: number }> {
  if (!(ratePerMinute > 0) || venues.length === 0) return;
  const random = new Random(seed);
  for (let time = startTime; ; ) {
    time += (random.exponential() * MS_PER_MINUTE) / ratePerMinute;
    const { venue, symbols } = venues[random.integerBelow(venues.length)] ?? { venue: "", symbols: [] };
    const symbol = symbols[random.integerBelow(symbols.length)] ?? "";
    const fault = drawn(WEIGHTS, random);
    const channel = drawn(CHANNELS, random);
    const share = random.uniform();
    const order = orderOf({ fault, symbol, channel, share });
    if (fault === "id-map" && venue !== "bitmex") continue;
    yield { ...order, venue, at: Math.round(time), withinMs: WITHIN_MS };
  }
}

/** @param share on [0, 1): where between its least and its most a length lies. */
function orderOf({ fault, symbol, channel, share }: { fault: FaultName; symbol: string; channel: Channel; share: number }): FaultOrder {
  const between = (least: number, most: number) => Math.round(least + share * (most - least));
  switch (fault) {
    case "silence":
      return { fault, symbol, durationMs: between(5_000, 40_000), ...(share < 0.5 ? { channel } : {}) };
    case "delay":
      return { fault, symbol, channel, byMs: between(200, 3_000) };
    case "crossed-book":
    case "stale-snapshot":
    case "id-map":
      return { fault, symbol };
    case "http-429":
    case "http-418":
    case "http-451":
      return { fault, durationMs: between(1_000, 10_000) };
    case "slow-rest":
      return { fault, byMs: between(500, 5_000) };
    case "clock-skew":
      return { fault, byMs: between(-2_000, 2_000), durationMs: between(5_000, 30_000) };
    case "close-1006":
    case "tcp-reset":
      return { fault };
    case "close-24h":
      return { fault, isAnnounced: share < 0.5 };
    default:
      return { fault, symbol, channel };
  }
}

function drawn<Value>(weighed: readonly (readonly [Value, number])[], random: Random): Value {
  const total = weighed.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random.uniform() * total;
  for (const [value, weight] of weighed) {
    left -= weight;
    if (left < 0) return value;
  }
  return (weighed.at(-1) as readonly [Value, number])[0];
}
