/** Is everything as it should be, and if not, what isn't. Pure. */

import { MS_PER_MINUTE } from "../../../core/units/time.ts";
import type { FeedConfiguration } from "../../../feed/configuration.ts";
import type { FeedStatus } from "../../../feed/contract.ts";
import { EVERY_MARKET, type Roster } from "../../inference/contract.ts";
import { rolesFor } from "../../inference/roles-for.ts";
import type { FeedHealth, HealthBody } from "../schemas.ts";
import { whyNobody } from "./model.ts";

/** One closed minute waits for its cron, one more while that runs; beyond, storage lags. */
const PENDING_MINUTES_EXPECTED = 2;
/** What a venue refuses is asked for again each five minutes at least, so that it goes on showing while it is refused. */
const REFUSAL_SHOWS_MS = 10 * MS_PER_MINUTE;

/** A process that is younger may not have its books yet: dialling, subscribing and the snapshots of a feed's symbols, within the venue's limits. */
const STARTS_WITHIN_MS = MS_PER_MINUTE / 2;

/** The state of an instrument that is traded, in the word of the one venue that tells states on its stream (BitMEX). */
const TRADED = "Open";

export interface FeedObservation {
  readonly configuration: FeedConfiguration;
  /** Null when the feed did not answer. */
  readonly status: FeedStatus | null;
  readonly lastStoredMinute: number | null;
}

/** Market days whose file could not be made, again and again: some of them, and how many there are. */
export interface FailingDays {
  readonly days: readonly { readonly market: string; readonly day: string; readonly failures: number }[];
  readonly count: number;
}

export interface Observations {
  readonly now: number;
  readonly feeds: readonly FeedObservation[];
  /** Null when the database did not answer. */
  readonly failingDays: FailingDays | null;
  readonly isDatabaseReachable: boolean;
  /** Null when the inference Worker did not answer. */
  readonly roster: Roster | null;
}

/**
 * `down` when nothing live can be had or nothing stored can be read; `degraded` when part of it can't. While a feed is starting its markets may be live at
 * any moment: that is `degraded`.
 */
export function healthBody({ now, feeds, failingDays, isDatabaseReachable, roster }: Observations): HealthBody {
  const reasons = feeds.flatMap(feedReasons);
  if (!isDatabaseReachable) reasons.push("the database does not answer");
  reasons.push(...dayReasons(failingDays), ...modelReasons(roster));
  const isDown = !isDatabaseReachable || feeds.every(({ status }) => status === null || hasNothingLive(status));
  return {
    status: isDown ? "down" : reasons.length > 0 ? "degraded" : "ok",
    reasons,
    now,
    feeds: feeds.map(feedHealth),
    failingDays: failingDays?.days.map((each) => ({ ...each })) ?? [],
    model: modelHealth(roster),
  };
}

function hasNothingLive({ now, counters, markets }: FeedStatus): boolean {
  return now - counters.since >= STARTS_WITHIN_MS && markets.every(({ state }) => state !== "live");
}

function feedReasons({ configuration, status }: FeedObservation): string[] {
  const name = `feed ${configuration.feed}`;
  if (status === null) return [`${name} does not answer`];
  const reasons: string[] = [];
  if (status.connection.state !== "open") reasons.push(`${name} is ${status.connection.state}`);
  const { lastRefusal } = status.connection;
  if (lastRefusal !== null && status.now - lastRefusal.at < REFUSAL_SHOWS_MS) reasons.push(`${name} was refused: ${lastRefusal.detail}`);
  for (const { market, state, venueState } of status.markets) {
    // A feed of an older deployment says nothing of it.
    const said = typeof venueState !== "string" || venueState === TRADED ? "" : ` (the venue says ${venueState})`;
    if (state !== "live" || said !== "") reasons.push(`${market} is ${state}${said}`);
  }
  const unlisted = unlistedOf(status);
  for (const { symbol, reason } of unlisted) reasons.push(`${name} has no ${symbol}: ${reason}`);
  if (status.markets.length + unlisted.length < configuration.symbols.length) {
    reasons.push(`${name} knows ${status.markets.length} of ${configuration.symbols.length} markets`);
  }
  if (status.pendingMinutes > PENDING_MINUTES_EXPECTED) reasons.push(`${name} holds ${status.pendingMinutes} minutes that are not stored`);
  return reasons;
}

/** A feed of an older deployment says nothing of it. */
function unlistedOf({ unlisted }: Partial<Pick<FeedStatus, "unlisted">>): FeedStatus["unlisted"] {
  return unlisted ?? [];
}

function dayReasons(failing: FailingDays | null): string[] {
  if (failing === null) return [];
  const reasons = failing.days.map(({ market, day, failures }) => `no day file of ${market} on ${day} in ${failures} tries`);
  const others = failing.count - failing.days.length;
  return others > 0 ? [...reasons, `no day file of ${others} further market days`] : reasons;
}

/** Nothing published is how a new deployment begins; any other reason to fall back is a fault of what was published. */
function modelReasons(roster: Roster | null): string[] {
  if (roster === null) return ["the inference Worker does not answer"];
  const reasons = modelHealth(roster) === null ? [`no model is served: ${whyNobody(roster).detail}`] : [];
  for (const { market, fellBackFrom } of roster.roles) {
    if (fellBackFrom === null || fellBackFrom.fault === "never-published") continue;
    const of = market === EVERY_MARKET ? "" : ` of ${market}`;
    reasons.push(`the published model${of} is not served: ${fellBackFrom.fault}, ${fellBackFrom.detail}`);
  }
  for (const { slot, market, role, id, version, fault, detail } of roster.refused) {
    const isNamed = slot === "forecast" && market === EVERY_MARKET && role === "active";
    if (!isNamed) reasons.push(`${id} ${version}, ${role} of ${slot}s of ${market}, is not served: ${fault}, ${detail}`);
  }
  return reasons;
}

/** The one of every market. */
function modelHealth(roster: Roster | null): HealthBody["model"] {
  const active = roster === null ? null : rolesFor(roster.roles, "forecast", EVERY_MARKET).active;
  return active === null ? null : { id: active.id, version: active.version, source: active.source };
}

function feedHealth({ configuration, status, lastStoredMinute }: FeedObservation): FeedHealth {
  return {
    feed: configuration.feed,
    venue: configuration.venue,
    isReachable: status !== null,
    connection: status?.connection.state ?? null,
    lastDownReason: status?.connection.lastDownReason ?? null,
    refusals: status?.connection.refusals ?? 0,
    lastRefusal: status?.connection.lastRefusal ?? null,
    marketsLive: status?.markets.filter(({ state }) => state === "live").length ?? 0,
    markets: configuration.symbols.length,
    unlisted: status === null ? [] : unlistedOf(status).map((each) => ({ ...each })),
    frames: status?.frames ?? 0,
    malformedFrames: status?.malformedFrames ?? 0,
    tapeBytesHeld: status?.tapeBytesHeld ?? 0,
    pendingMinutes: status?.pendingMinutes ?? 0,
    oldestPendingMinute: status?.oldestPendingMinute ?? null,
    lastStoredMinute,
  };
}
