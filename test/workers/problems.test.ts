/** Refusals as problems, and what health makes of what it saw. */

import { describe, expect, it } from "vitest";
import type { FeedStatus, RowsUnavailable, Unavailable } from "../../feed/contract.ts";
import { feedProblem, modelProblem, PROBLEMS, retryAfterOf, rowsProblem } from "../../workers/api/problems.ts";
import { healthBody, type Observations } from "../../workers/api/views/health.ts";
import type { ModelFault, Roster, RosterRole } from "../../workers/inference/contract.ts";

describe("a feed's refusal", () => {
  it.each<[Unavailable, number, string]>([
    ["unknown-market", 404, "unknown-market"],
    ["disconnected", 503, "disconnected"],
    ["syncing", 503, "syncing"],
    ["stale", 503, "stale-book"],
    ["no-mid", 409, "no-mid"],
    ["warming-up", 503, "warming-up"],
  ])("%s is %i and keeps its reason and its words", (reason, status, name) => {
    const said = feedProblem({ ok: false, reason, detail: "since noon" });
    expect(said).toEqual({ type: `/problems/${name}`, title: expect.any(String), status, reason, detail: "since noon" });
  });
});

describe("a refusal of one feature set's rows", () => {
  it.each<[RowsUnavailable, string]>([
    ["not-computed", "model-mismatch"],
    ["warming-up", "warming-up"],
    ["too-few-rows", "warming-up"],
  ])("%s is 503 and keeps its reason and its words", (reason, name) => {
    const said = rowsProblem({ reason, detail: "since noon" });
    expect(said).toEqual({ type: `/problems/${name}`, title: expect.any(String), status: 503, reason, detail: "since noon" });
  });
});

describe("a model's refusal", () => {
  it.each<[ModelFault, string]>([
    ["fingerprint-mismatch", "model-mismatch"],
    ["hash-mismatch", "model-unavailable"],
    ["not-found", "model-unavailable"],
  ])("%s is 503 and keeps its fault", (fault, name) => {
    expect(modelProblem({ ok: false, fault, detail: "so" })).toMatchObject({ type: `/problems/${name}`, status: 503, reason: fault });
  });
});

describe("Retry-After", () => {
  it("is on every 503 and on nothing that asking again won't change", () => {
    for (const [name, { status }] of Object.entries(PROBLEMS)) {
      const seconds = retryAfterOf({ type: `/problems/${name}`, title: "", status, reason: "", detail: "" });
      expect([name, seconds !== null]).toEqual([name, status === 503]);
    }
  });
});

describe("health", () => {
  const active: RosterRole = {
    slot: "forecast",
    market: "*",
    role: "active",
    key: 1,
    id: "mlp",
    version: "1",
    source: "r2",
    family: "mlp",
    fingerprint: "0123456789abcdef",
    featureSet: "v1",
    window: 1,
    label: "point",
    answer: "moves",
    fellBackFrom: null,
  };
  const roster: Roster = { revision: "1", roles: [active], refused: [] };
  const instead = (fault: ModelFault, market = "*"): Roster => {
    const fellBackFrom = { fault, detail: "so", model: { key: 1, id: "mlp", version: "1" } };
    const standIn: RosterRole = { ...active, market, key: 0, source: "shipped", fellBackFrom };
    return { ...roster, roles: market === "*" ? [standIn] : [active, standIn] };
  };
  const { slot, role } = active;
  const refusal = { slot, role, market: "*", key: 2, id: "lstm", version: "2", fault: "not-found", detail: "so" } as const;
  const status = {
    now: 1_800_000,
    connection: { state: "open", lastDownReason: null, refusals: 1, lastRefusal: { at: 1_200_000, detail: "400: no such symbol" } },
    markets: [{ market: "v:A", state: "live", venueState: "Open" }],
    counters: { since: 0 },
    unlisted: [],
    pendingMinutes: 1,
    oldestPendingMinute: 0,
    frames: 1,
    malformedFrames: 0,
    tapeBytesHeld: 0,
  } as unknown as FeedStatus;
  const feed = { configuration: { feed: "main", object: "main", venue: "v", symbols: ["A"] }, status, lastStoredMinute: 0 };
  const stale = { ...status, markets: [{ ...status.markets[0], state: "stale" }] } as FeedStatus;
  const starting = { ...stale, counters: { ...stale.counters, since: status.now - 29_999 } };
  const blocked = { ...stale, connection: { ...stale.connection, state: "blocked" } } as FeedStatus;
  const fine: Observations = { now: 0, feeds: [feed], failingDays: { days: [], count: 0 }, isDatabaseReachable: true, roster };

  it("is ok when all is well", () => {
    expect(healthBody(fine)).toMatchObject({ status: "ok", reasons: [], model: { id: "mlp" } });
  });

  it("takes a deployment where nothing was published yet for healthy", () => {
    expect(healthBody({ ...fine, roster: instead("never-published") })).toMatchObject({ status: "ok", model: { source: "shipped" } });
  });

  it.each<[string, Partial<Observations>, "degraded" | "down"]>([
    ["a market of two that is stale", { feeds: [feed, { ...feed, status: stale }] }, "degraded"],
    ["no market that is live", { feeds: [{ ...feed, status: stale }] }, "down"],
    ["no market that is live yet, since the feed has begun just now", { feeds: [{ ...feed, status: starting }] }, "degraded"],
    [
      "a venue that has refused something in the last ten minutes",
      { feeds: [{ ...feed, status: { ...status, now: 1_799_999 } }] },
      "degraded",
    ],
    [
      "a market that the venue has closed",
      { feeds: [{ ...feed, status: { ...status, markets: [{ ...status.markets[0], venueState: "Settled" }] } as FeedStatus }] },
      "degraded",
    ],
    ["a market that the feed doesn't know", { feeds: [{ ...feed, status: { ...status, markets: [] } }] }, "down"],
    ["storage that lags", { feeds: [{ ...feed, status: { ...status, pendingMinutes: 3 } }] }, "degraded"],
    ["one feed of two that does not answer", { feeds: [feed, { ...feed, status: null }] }, "degraded"],
    ["a published model that is faulty", { roster: instead("hash-mismatch") }, "degraded"],
    ["a bucket that does not answer", { roster: instead("store-unreachable") }, "degraded"],
    ["a published model that is gone", { roster: instead("not-found") }, "degraded"],
    ["a faulty model of one market", { roster: instead("golden-mismatch", "v:A") }, "degraded"],
    ["a faulty shadow", { roster: { ...roster, refused: [{ ...refusal, role: "shadow" }] } }, "degraded"],
    ["no model", { roster: { ...roster, roles: [], refused: [refusal] } }, "degraded"],
    ["no inference Worker", { roster: null }, "degraded"],
    ["no feed that answers", { feeds: [{ ...feed, status: null }] }, "down"],
    ["a day file that can't be made", { failingDays: { days: [{ market: "v:A", day: "2026-01-05", failures: 3 }], count: 1 } }, "degraded"],
    ["day files that can't be made, more than are named", { failingDays: { days: [], count: 12 } }, "degraded"],
    ["no database", { isDatabaseReachable: false }, "down"],
  ])("with %s is not ok, and says why", (_, change, expected) => {
    const said = healthBody({ ...fine, ...change });
    expect(said.status).toBe(expected);
    expect(said.reasons).toHaveLength(1);
  });

  it("is down when every feed is blocked or doesn't answer: who watches it for its status alone would never hear", () => {
    const said = healthBody({
      ...fine,
      feeds: [
        { ...feed, status: blocked },
        { ...feed, status: null },
      ],
    });
    expect(said).toMatchObject({ status: "down", reasons: ["feed main is blocked", "v:A is stale", "feed main does not answer"] });
  });

  it("tells of each feed what its venue has refused on the socket, in its words: a trades channel that is refused shows nowhere else", () => {
    const [told] = healthBody(fine).feeds;
    expect([told?.refusals, told?.lastRefusal]).toEqual([1, { at: 1_200_000, detail: "400: no such symbol" }]);
    const [unknown] = healthBody({ ...fine, feeds: [{ ...feed, status: null }] }).feeds;
    expect([unknown?.refusals, unknown?.lastRefusal]).toEqual([0, null]);
  });

  it("names each symbol that has no market, and why: a typo in FEEDS shows nowhere else", () => {
    const unlisted = [{ symbol: "B", reason: "the venue doesn't list it" }];
    const configuration = { ...feed.configuration, symbols: ["A", "B"] };
    const said = healthBody({ ...fine, feeds: [{ ...feed, configuration, status: { ...status, unlisted } }] });
    expect([said.status, said.reasons, said.feeds[0]?.unlisted]).toEqual([
      "degraded",
      ["feed main has no B: the venue doesn't list it"],
      unlisted,
    ]);
  });

  it("is told of a feed of an older deployment too, which says nothing of unlisted symbols: that Worker is deployed more seldom", () => {
    const { unlisted: _, ...older } = status;
    expect(healthBody({ ...fine, feeds: [{ ...feed, status: older as FeedStatus }] })).toMatchObject({
      status: "ok",
      feeds: [{ unlisted: [] }],
    });
  });

  it("names the market days whose file can't be made, and how often that was tried", () => {
    const days = [{ market: "v:A", day: "2026-01-05", failures: 3 }];
    const said = healthBody({ ...fine, failingDays: { days, count: 4 } });
    expect(said.reasons).toEqual(["no day file of v:A on 2026-01-05 in 3 tries", "no day file of 3 further market days"]);
    expect(said.failingDays).toEqual(days);
  });
});
