/** From wishes to a world: which markets there are, which venues list them, and under what names. */

import type { PresetName } from "../core/simulation/presets.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import { type FaultOrder, unreachable } from "./faults/fault.ts";
import { FaultInjector } from "./faults/injector.ts";
import { faultSchedule } from "./faults/schedule.ts";
import { openEventsFile } from "./market/events-file.ts";
import { generativeSource } from "./market/generative-records.ts";
import type { RecordSource } from "./market/record-source.ts";
import { findProtocol } from "./protocols/registry.ts";
import { symbolAt } from "./symbol-names.ts";
import { type VenueChoice, World } from "./world.ts";

/** What a user can put right: it is told in a sentence. */
export class SetupError extends Error {}

export interface GeneratedMarkets {
  readonly names: readonly string[];
  /** "both" takes turns, large-tick first. */
  readonly preset: PresetName | "both";
  /** Of the first market; the next ones take the numbers after it. */
  readonly seed: number;
  /** Epoch ms. */
  readonly startTime: number;
  /** Length behind the start; without end unless told. */
  readonly seconds?: number;
}

export interface SimulatedVenues {
  readonly venues: readonly string[];
  readonly generated?: GeneratedMarkets;
  /** Files of market events, each a market; `name=path` gives it another name than its header's. */
  readonly events?: readonly string[];
  /** `venue:SYMBOL=MARKET`: a venue that is named here lists only what is named. */
  readonly listings?: readonly string[];
  /** Settings of the venues: the depth batch, the form of 2021, whether snapshots amid a tape are told as such. */
  readonly intervalMs?: number;
  readonly form?: "today" | "2021";
  readonly tellsSnapshots?: boolean;
  /** Moves a tape's times to now, by whole minutes. */
  readonly movesTo?: number;
  /** Absent, nothing can be broken, also not by POST /faults. */
  readonly faults?: FaultWishes;
}

export interface FaultWishes {
  readonly seed: number;
  readonly orders?: readonly FaultOrder[];
  /** Random faults a minute of the simulated clock; none unless told. */
  readonly ratePerMinute?: number;
  /** Age at which a connection is closed as after 24 hours. */
  readonly lifetimeMs?: number;
}

export async function buildWorld(wishes: SimulatedVenues): Promise<World> {
  const sources = [...generatedSources(wishes.generated), ...(await eventSources(wishes.events ?? []))];
  if (sources.length === 0) throw new SetupError("no market: generate some, or name a file of market events");
  const markets = sources.map(({ market }) => market.name);
  const venues = wishes.venues.map((venue) => choiceOf(venue, markets, wishes));
  const first = Math.min(...sources.map(({ startTime }) => startTime));
  const shiftMs = wishes.movesTo === undefined ? 0 : Math.round((wishes.movesTo - first) / MS_PER_MINUTE) * MS_PER_MINUTE;
  const { faults } = wishes;
  if (faults === undefined) return new World({ sources, venues, shiftMs });
  return new World({ sources, venues, shiftMs, injector: (world) => injectorOf(world, faults) });
}

/** What breaks things in a world. Throws SetupError for an order that nothing there could ever meet. */
export function injectorOf(
  { clock, stalls, startTime }: World,
  { seed, orders = [], ratePerMinute, lifetimeMs }: FaultWishes,
): FaultInjector {
  const venues = [...stalls].map(
    ([
      venue,
      {
        venue: { listings },
        protocol,
      },
    ]) => ({
      venue,
      symbols: [...listings.keys()],
      hasRestBook: protocol.hasRestBook,
    }),
  );
  const schedule = ratePerMinute === undefined ? {} : { schedule: faultSchedule({ seed, ratePerMinute, startTime, venues }) };
  const listed = new Map(venues.map(({ venue, symbols }) => [venue, symbols]));
  for (const order of orders) {
    const refusal = unreachable(order, listed);
    if (refusal !== null) throw new SetupError(`faults: ${refusal}`);
  }
  return new FaultInjector({ clock, stalls, seed, orders, ...schedule, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) });
}

/** Names of generated markets: the first of each preset has its name, the others are numbered. */
export function generatedNames(count: number, preset: PresetName | "both"): string[] {
  return Array.from({ length: count }, (_, index) => {
    const isNamed = index === 0 || (index === 1 && preset === "both");
    if (isNamed) return presetOf(preset, index) === "large-tick" ? "LARGEUSDT" : "SMALLUSDT";
    return `SIM${String(index + 1).padStart(3, "0")}USDT`;
  });
}

function generatedSources(wishes: GeneratedMarkets | undefined): RecordSource[] {
  if (wishes === undefined) return [];
  const { names, preset, seed, startTime, seconds } = wishes;
  return names.map((name, index) =>
    generativeSource({
      name,
      preset: presetOf(preset, index),
      seed: seed + index,
      startTime,
      ...(seconds === undefined ? {} : { seconds }),
    }),
  );
}

function presetOf(preset: PresetName | "both", index: number): PresetName {
  if (preset !== "both") return preset;
  return index % 2 === 0 ? "large-tick" : "small-tick";
}

async function eventSources(files: readonly string[]): Promise<RecordSource[]> {
  return await Promise.all(
    files.map((file) => {
      const [, name, path] = /^([A-Za-z0-9_-]{1,40})=(.+)$/.exec(file) ?? [];
      return path === undefined ? openEventsFile(file) : openEventsFile(path, name);
    }),
  );
}

function choiceOf(venue: string, markets: readonly string[], wishes: SimulatedVenues): VenueChoice {
  const protocol = findProtocol(venue);
  if (protocol === null) throw new SetupError(`${venue} is no venue that is spoken here`);
  const named = (wishes.listings ?? []).map(parseListing).filter((listing) => listing.venue === venue);
  const listings =
    named.length > 0
      ? named.map(({ symbol, market }) => [symbol, market] as const)
      : markets.map((market) => [symbolAt(venue, market), market] as const);
  const { intervalMs, form, tellsSnapshots } = wishes;
  const settings = {
    ...(form === undefined ? {} : { form }),
    ...(intervalMs === undefined ? {} : { intervalMs }),
    ...(tellsSnapshots === undefined ? {} : { tellsSnapshots }),
  };
  return { protocol, listings, settings };
}

function parseListing(text: string): { venue: string; symbol: string; market: string } {
  const match = /^([a-z0-9-]{1,40}):([A-Za-z0-9_.-]{1,40})=([A-Za-z0-9_.:-]{1,40})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) {
    throw new SetupError(`a listing is venue:SYMBOL=MARKET, not ${text}`);
  }
  return { venue: match[1], symbol: match[2], market: match[3] };
}
