/**
 * Evidence that a challenger is better than the model that is active, taken from an instance's scorecards: both scored on the same ticks of the same
 * market. What comes over HTTP is hostile until it has been read here.
 *
 * A difference is the active model's mean squared error less the challenger's, as a share of persistence's: above 0 the challenger is better. It counts
 * where the whole interval lies above 0. Where nothing else is asked it must at more than half of the horizons, and at none may the whole interval lie
 * below. Of few ticks or few hours nothing is believed: an hour's forecasts say nearly the same thing, whatever their number.
 */

import { z } from "zod";
import { CommandError } from "../command-error.ts";
import { type Activation, type ModelRegistry, type Seat, said, type VersionName } from "./model-registry.ts";

const MAX_ANSWER_BYTES = 64_000;
const ANSWER_WITHIN_MS = 30_000;
const MAX_HORIZONS = 100;

const identity = z.object({ id: z.string().max(200), version: z.string().max(200) });
const number = z.number();

const horizon = z.object({
  horizonMs: z.int().positive(),
  target: z.literal("mid"),
  r2Active: number.max(1).nullable(),
  r2Challenger: number.max(1).nullable(),
  difference: number,
  low: number,
  high: number,
  dmP: number.min(0).max(1).nullable(),
});

/** Further fields may come, and are left out. */
const comparison = z.object({
  market: z.string().max(200),
  active: identity,
  challenger: identity,
  days: number.nonnegative(),
  ticks: z.int().nonnegative(),
  hours: number.nonnegative(),
  horizons: z.array(horizon).max(MAX_HORIZONS),
});

export type Comparison = z.infer<typeof comparison>;

export interface PromotionRules {
  readonly minTicks: number;
  readonly minHours: number;
  /** Those that must be better; empty: more than half of all, and none worse. */
  readonly horizonsMs: readonly number[];
}

export interface Rivals {
  readonly seat: Seat;
  readonly active: VersionName;
  readonly challenger: VersionName;
}

export interface Promotion {
  readonly challenger: VersionName;
  readonly seat: Seat;
  /** Address of the instance whose scorecards are the evidence. */
  readonly from: string;
  readonly rules: PromotionRules;
}

/** @throws CommandError where the evidence isn't enough: nothing is changed then. */
export async function promote(registry: ModelRegistry, { challenger, seat, from, rules }: Promotion): Promise<Activation> {
  const version = await registry.version(challenger);
  const active = await registry.active(seat);
  if (active === null)
    throw new CommandError(`no model is active for ${said(seat)}, so there is none to be better than: \`edgebook models activate\``);
  if (active.key === version.key) throw new CommandError(`${version.id} ${version.version} is active for ${said(seat)} already`);
  const compared = await fetchComparison(from, { seat, active, challenger });
  const why = whyNotPromoted(compared, rules);
  const rivals = `${challenger.id} ${challenger.version} against ${active.id} ${active.version}, ${said(seat)}`;
  if (why !== null) throw new CommandError(`not promoted (${rivals}): ${why}`);
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
export function readComparison(text: string, { seat, active, challenger }: Rivals): Comparison {
  const read = comparison.safeParse(parseJson(text));
  if (!read.success) {
    const issue = read.error.issues[0];
    throw new CommandError(`the scorecards' answer is none: ${issue?.path.join(".") || "(root)"}: ${issue?.message}`);
  }
  const told = read.data;
  if (told.market !== seat.market) throw new CommandError(`the scorecards' answer is of ${told.market}, and ${seat.market} was asked for`);
  for (const [role, asked] of Object.entries({ active, challenger })) {
    const { id, version } = role === "active" ? told.active : told.challenger;
    if (id !== asked.id || version !== asked.version)
      throw new CommandError(
        `the scorecards' ${role} model is ${id} ${version}, and here it is ${asked.id} ${asked.version}: ask the instance that is to be changed`,
      );
  }
  const turned = told.horizons.find(({ difference, low, high }) => !(low <= difference && difference <= high));
  if (turned !== undefined) throw new CommandError(`the scorecards' interval at ${turned.horizonMs} ms doesn't hold its own difference`);
  const contradicted = told.horizons.find(contradictsItself);
  if (contradicted !== undefined)
    throw new CommandError(`the scorecards' difference at ${contradicted.horizonMs} ms isn't that of its own scores`);
  if (new Set(told.horizons.map(({ horizonMs }) => horizonMs)).size < told.horizons.length)
    throw new CommandError("the scorecards name a horizon twice");
  return told;
}

/** @returns why it isn't enough, for a person; null where it is. */
export function whyNotPromoted({ ticks, hours, horizons }: Comparison, { minTicks, minHours, horizonsMs }: PromotionRules): string | null {
  if (ticks < minTicks) return `${ticks} ticks were scored for both, ${minTicks} are wanted: wait, or say --min-ticks`;
  if (hours < minHours) return `they are of ${hours} hours, ${minHours} are wanted: wait, or say --min-hours`;
  const asked = horizonsMs.map((horizonMs) => horizons.find((each) => each.horizonMs === horizonMs) ?? horizonMs);
  for (const each of asked) {
    if (typeof each === "number")
      return `nothing was scored at ${each} ms: there are ${horizons.map(({ horizonMs }) => horizonMs).join(", ") || "no horizons"}`;
    if (!isBetter(each)) return `at ${sayHorizon(each)}, which isn't above 0`;
  }
  if (asked.length > 0) return null;
  const worse = horizons.find(({ high }) => high < 0);
  if (worse !== undefined) return `it is worse at ${sayHorizon(worse)}`;
  const better = horizons.filter(isBetter);
  return better.length * 2 > horizons.length
    ? null
    : `it is better at ${better.length} of ${horizons.length} horizons: more than half are wanted`;
}

function compareUrl(base: string, { seat, challenger }: Rivals): string {
  let url: URL;
  try {
    url = new URL("/v1/scorecards/compare", base);
  } catch {
    throw new CommandError(`${base} is no address: http://127.0.0.1:8787 is one`);
  }
  url.searchParams.set("market", seat.market);
  url.searchParams.set("slot", seat.slot);
  url.searchParams.set("challenger", `${challenger.id}@${challenger.version}`);
  return url.href;
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

/** The challenger is ahead by one number and behind by the others. */
function contradictsItself({ r2Active, r2Challenger, difference }: Comparison["horizons"][number]): boolean {
  return r2Active !== null && r2Challenger !== null && (r2Challenger - r2Active) * difference < 0;
}

function isBetter({ low }: Comparison["horizons"][number]): boolean {
  return low > 0;
}

function sayHorizon({ horizonMs, difference, low, high }: Comparison["horizons"][number]): string {
  return `${horizonMs} ms: a difference of ${difference} [${low}, ${high}]`;
}
