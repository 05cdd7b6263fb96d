/**
 * Sources from the generative market: the same frames that the exchange simulator would send, made offline. The same preset, seed and
 * hours give the same records on any machine, which is what lets a shipped model be reproduced byte for byte.
 */

import { PRESETS, type PresetName } from "../../core/simulation/presets.ts";
import { MS_PER_HOUR } from "../../core/units/time.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { GENERATIVE_LOT, GENERATIVE_TICK } from "../../exchange-simulator/market/generative-records.ts";
import { CommandError } from "../command-error.ts";
import type { FeedSource } from "../replay/feed-source.ts";

/** The protocol that the generative market speaks. */
const VENUE = "binance-spot";
/** A fixed day, so that the rows' times are the same in every run: 2026-01-01T00:00:00Z. */
const START_TIME = 1_767_225_600_000;
const RECORDS_A_BLOCK = 4_096;
const SECONDS_PER_HOUR = 3_600;
/** More would take hours to make; join several seeds instead. */
const MOST_HOURS = 1_000;

export interface Simulation {
  readonly preset: PresetName;
  readonly seed: number;
  readonly hours: number;
}

const SYMBOLS: Readonly<Record<PresetName, string>> = { "large-tick": "LARGEUSDT", "small-tick": "SMALLUSDT" };

/** Reads `preset:seed:hours`, e.g. "large-tick:7:4". Throws CommandError. */
export function parseSimulation(text: string): Simulation {
  const [preset, seed, hours, ...rest] = text.split(":");
  const presets = Object.keys(PRESETS) as PresetName[];
  const known = presets.find((name) => name === preset);
  if (known === undefined) throw new CommandError(`--simulate ${text}: the preset is one of ${presets.join(", ")}, as in large-tick:1:4`);
  if (!/^\d{1,15}$/.test(seed ?? "")) throw new CommandError(`--simulate ${text}: the seed is a whole number, as in ${known}:1:4`);
  const length = /^\d{1,4}(\.\d{1,6})?$/.test(hours ?? "") && rest.length === 0 ? Number(hours) : Number.NaN;
  if (!(length > 0 && length <= MOST_HOURS))
    throw new CommandError(`--simulate ${text}: the hours are a number up to ${MOST_HOURS}, as in ${known}:1:4`);
  return { preset: known, seed: Number(seed), hours: length };
}

/** What makes a simulated source the market that it is, without its length; null for the name of any other source. */
export function simulatedSeed(name: string): string | null {
  return /^simulated \S+ seed \d+/.exec(name)?.[0] ?? null;
}

export function simulatedSource({ preset, seed, hours }: Simulation): FeedSource {
  const symbol = SYMBOLS[preset];
  return {
    name: `simulated ${preset} seed ${seed}, ${hours} h`,
    venue: VENUE,
    instruments: [{ venue: VENUE, symbol, tick: GENERATIVE_TICK, lot: GENERATIVE_LOT }],
    frames: "whole",
    size: hours * MS_PER_HOUR,
    async *records(onProgress) {
      const tape = simulateTape({ preset, seed, symbol, seconds: Math.round(hours * SECONDS_PER_HOUR), startTime: START_TIME });
      let block: TapeRecord[] = [];
      for (const record of tape) {
        block.push(record);
        if (block.length < RECORDS_A_BLOCK) continue;
        onProgress(record.receivedAt - START_TIME);
        yield block;
        block = [];
      }
      yield block;
    },
  };
}
