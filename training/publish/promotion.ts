/**
 * Evidence that a challenger is better than the model that is active, taken from an instance's scorecards: both scored on the same ticks of the same
 * market. What comes over HTTP is hostile until it has been read here.
 *
 * A difference is the challenger's R² less the active model's: by how much of persistence's mean squared error the challenger's is lower. It counts where
 * its whole interval lies above 0. Where nothing else is asked it must at more than half of the horizons, and at none may the whole interval lie
 * below. Signals are made of odds: there the difference is the active model's Brier score less the challenger's. Of few ticks or few hours nothing is believed: an hour's forecasts say nearly the same thing, whatever their number.
 *
 * A role for every market rests on the evidence of markets that are named, each of which must be enough by itself.
 */

import { z } from "zod";
import { EVERY_MARKET, type ModelSlot } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import { type Seat, said, type VersionName } from "./held-roles.ts";
import type { Activation, ModelRegistry } from "./model-registry.ts";

const MAX_ANSWER_BYTES = 64_000;
const ANSWER_WITHIN_MS = 30_000;
/** With as many horizons and markets the evidence still is one statement (sql.ts); six horizons are usual. */
const MAX_HORIZONS = 20;
const MAX_MARKETS = 20;

const name = z.string().max(200);
const number = z.number().nullable();

const horizon = z.object({
  horizonMs: z.int().positive(),
  target: z.literal("mid"),
  r2Active: number,
  r2Challenger: number,
  /** Null where nothing moved, or of too few hours for an interval. */
  difference: number,
  low: number,
  high: number,
  dmP: z.number().min(0).max(1).nullable(),
});

const oddsHorizon = z.object({
  horizonMs: z.int().positive(),
  target: z.literal("mid"),
  ticks: z.int().nonnegative(),
  hours: z.number().nonnegative(),
  brierActive: z.number(),
  brierChallenger: z.number(),
  difference: z.number(),
  low: number,
  high: number,
  dmP: z.number().min(0).max(1).nullable(),
});

/** Further fields may come, and are left out. */
const comparison = z.object({
  market: name,
  slot: name,
  /** `id@version` */
  active: name,
  challenger: name,
  days: z.number().nonnegative(),
  ticks: z.int().nonnegative(),
  hours: z.number().nonnegative(),
  horizons: z.array(horizon).max(MAX_HORIZONS),
  /** An instance from before they were compared has none. */
  odds: z.array(oddsHorizon).max(MAX_HORIZONS).default([]),
});

export type Comparison = z.infer<typeof comparison>;

export interface PromotionRules {
  readonly minTicks: number;
  readonly minHours: number;
  /** Those that must be better; empty: more than half of all, and none worse. */
  readonly horizonsMs: readonly number[];
}

export interface Rivals {
  readonly slot: ModelSlot;
  /** On which they are compared. */
  readonly market: string;
  readonly active: VersionName;
  readonly challenger: VersionName;
}

export interface Promotion {
  readonly challenger: VersionName;
  readonly seat: Seat;
  /** Address of the instance whose scorecards are the evidence. */
  readonly from: string;
  /** Markets of which evidence is taken; empty: the seat's own. */
  readonly on: readonly string[];
  readonly rules: PromotionRules;
}

/** @throws CommandError where the evidence isn't enough: nothing is changed then. */
export async function promote(registry: ModelRegistry, { challenger, seat, from, on, rules }: Promotion): Promise<Activation> {
  const version = await registry.version(challenger);
  const active = await registry.active(seat);
  if (active === null)
    throw new CommandError(`no model is active for ${said(seat)}, so there is none to be better than: \`edgebook models activate\``);
  if (active.key === version.key) throw new CommandError(`${version.id} ${version.version} is active for ${said(seat)} already`);
  if (active.label !== version.label) {
    throw new CommandError(
      `${version.id} ${version.version} answers ${version.label} moves, and ${active.id} ${active.version} ${active.label} ones: their scores can't be compared, however long you wait. Train on a dataset of --label ${active.label}, or \`edgebook models activate\``,
    );
  }
  const compared: Comparison[] = [];
  for (const market of marketsOf(seat, on)) {
    const told = await fetchComparison(from, { slot: seat.slot, market, active, challenger });
    const why = whyNotPromoted(told, rules);
    if (why !== null)
      throw new CommandError(
        `not promoted (${challenger.id} ${challenger.version} against ${active.id} ${active.version} on ${market}): ${why}`,
      );
    compared.push(told);
  }
  return registry.activate(challenger, seat, { action: "promote", evidence: { from, rules, compared } });
}

/** @throws CommandError where the instance doesn't answer with a comparison of these two. */
export async function fetchComparison(base: string, rivals: Rivals): Promise<Comparison> {
  const url = compareUrl(base, rivals);
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : "";
    throw new CommandError(`${url} does not answer (${error instanceof Error ? error.message : String(error)}${cause})`);
  });
  const text = await readText(response, url);
  if (!response.ok) throw new CommandError(`${url} answers ${response.status}: ${text.slice(0, 500)}`);
  return readComparison(text, rivals);
}

/** @throws CommandError on what is no comparison of these two. */
export function readComparison(text: string, { slot, market, active, challenger }: Rivals): Comparison {
  const read = comparison.safeParse(parseJson(text));
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new CommandError(`the scorecards' answer is none: ${issue?.path.join(".") || "(root)"}: ${issue?.message}`);
  }
  const told = read.data;
  const asked = { market, slot, active: nameOf(active), challenger: nameOf(challenger) };
  for (const field of ["market", "slot", "active", "challenger"] as const) {
    if (told[field] !== asked[field])
      throw new CommandError(
        `the scorecards' ${field} is ${told[field]}, and ${asked[field]} was asked for: ask the instance that is to be changed`,
      );
  }
  const turned = [...told.horizons, ...told.odds].find(isTurned);
  if (turned !== undefined) throw new CommandError(`the scorecards' interval at ${turned.horizonMs} ms doesn't hold its own difference`);
  const contradicted = told.horizons.find(contradictsItself) ?? told.odds.find(contradictsItsBrier);
  if (contradicted !== undefined)
    throw new CommandError(`the scorecards' difference at ${contradicted.horizonMs} ms isn't that of its own scores`);
  for (const each of [told.horizons, told.odds]) {
    if (new Set(each.map(({ horizonMs }) => horizonMs)).size < each.length) throw new CommandError("the scorecards name a horizon twice");
  }
  return told;
}

/** @returns why it isn't enough, for a person; null where it is. */
export function whyNotPromoted(told: Comparison, { minTicks, minHours, horizonsMs }: PromotionRules): string | null {
  const { ticks, hours, horizons } = evidenceOf(told);
  if (horizons.length === 0) {
    return told.slot === "signal"
      ? "nothing that both said of down, flat and up can be compared: one of them gives no probabilities of the same horizon, or no tick was scored for both yet"
      : "nothing that both answered can be compared: no tick was scored for both yet";
  }
  if (ticks < minTicks) return `${ticks} ticks were scored for both, ${minTicks} are wanted: wait, or say --min-ticks`;
  if (hours < minHours) return `they are of ${hours} hours, ${minHours} are wanted: wait, or say --min-hours`;
  const asked = horizonsMs.map((horizonMs) => horizons.find((each) => each.horizonMs === horizonMs) ?? horizonMs);
  for (const each of asked) {
    if (typeof each === "number")
      return `nothing was scored at ${each} ms: there are ${horizons.map(({ horizonMs }) => horizonMs).join(", ") || "no horizons"}`;
    if (!isBetter(each)) return `at ${sayHorizon(each)}, which isn't above 0`;
  }
  if (asked.length > 0) return null;
  const worse = horizons.find(({ high }) => high !== null && high < 0);
  if (worse !== undefined) return `it is worse at ${sayHorizon(worse)}`;
  const better = horizons.filter(isBetter);
  return better.length * 2 > horizons.length
    ? null
    : `it is better at ${better.length} of ${horizons.length} horizons: more than half are wanted`;
}

interface Evidence {
  readonly ticks: number;
  readonly hours: number;
  readonly horizons: readonly Compared[];
}

/** Of signals the odds, that they are made of; of forecasts the moves. */
function evidenceOf({ slot, ticks, hours, horizons, odds }: Comparison): Evidence {
  if (slot !== "signal") return { ticks, hours, horizons };
  const most = (of: "ticks" | "hours"): number => odds.reduce((found, each) => Math.max(found, each[of]), 0);
  return { ticks: most("ticks"), hours: most("hours"), horizons: odds };
}

function marketsOf({ market }: Seat, on: readonly string[]): readonly string[] {
  if (on.length > MAX_MARKETS) throw new CommandError(`evidence of ${on.length} markets: ${MAX_MARKETS} at most`);
  if (on.length > 0) return on;
  if (market !== EVERY_MARKET) return [market];
  throw new CommandError("scorecards are of one market each: say which with --on binance-spot:BTCUSDT, several times for several");
}

function compareUrl(base: string, { slot, market, active, challenger }: Rivals): string {
  let url: URL;
  try {
    url = new URL("/v1/scorecards/compare", base);
  } catch {
    throw new CommandError(`${base} is no address: http://127.0.0.1:8787 is one`);
  }
  const asked = { market, slot, active: nameOf(active), challenger: nameOf(challenger) };
  for (const [field, value] of Object.entries(asked)) url.searchParams.set(field, value);
  return url.href;
}

function nameOf({ id, version }: VersionName): string {
  return `${id}@${version}`;
}

/** No more of it than an answer may have. */
async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new CommandError(`${url} answers more than ${MAX_ANSWER_BYTES} bytes: that is no comparison`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`the scorecards' answer is no JSON: ${text.slice(0, 100)}`);
  }
}

type PairedHorizon = Comparison["horizons"][number];
type PairedOdds = Comparison["odds"][number];
type Compared = PairedHorizon | PairedOdds;

function isTurned({ difference, low, high }: Compared): boolean {
  if (low === null && high === null) return false;
  return low === null || high === null || difference === null || !(low <= difference && difference <= high);
}

/** The challenger is ahead by one number and behind by the others. */
function contradictsItself({ r2Active, r2Challenger, difference }: PairedHorizon): boolean {
  return r2Active !== null && r2Challenger !== null && difference !== null && (r2Challenger - r2Active) * difference < 0;
}

/** A lower score is better. */
function contradictsItsBrier({ brierActive, brierChallenger, difference }: PairedOdds): boolean {
  return (brierActive - brierChallenger) * difference < 0;
}

function isBetter({ low }: Compared): boolean {
  return low !== null && low > 0;
}

function sayHorizon({ horizonMs, difference, low, high }: Compared): string {
  return `${horizonMs} ms: a difference of ${difference ?? "nobody knows what"}, ${low === null ? "without an interval yet" : `[${low}, ${high}]`}`;
}
