/** Symbols that the venue doesn't know. Loss prevented: one typo in FEEDS, and no market of the feed is recorded. */

import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { binanceSpot } from "../../exchanges/binance/spot.ts";
import { binanceUsdM } from "../../exchanges/binance/usd-m.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { FeedSession } from "../../feed/session/feed-session.ts";
import type { VenueAnswer } from "../../feed/session/session-port.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";
import { answered, ScriptedWorld, SILENT } from "./scripted-world.ts";

const UNKNOWN = answered(400, '{"code":-1121,"msg":"Invalid symbol."}');
const FILTERS = [
  { filterType: "PRICE_FILTER", tickSize: "0.01" },
  { filterType: "LOT_SIZE", stepSize: "0.001" },
];

function sessionOf(world: ScriptedWorld, symbols: readonly string[], adapter: ExchangeAdapter = binanceSpot): FeedSession {
  return new FeedSession({
    ...{ adapter, symbols, port: world, budget: new VenueBudget(adapter.limits) },
    startBooks: (instruments) => ({ reducer: new FeedReducer({ adapter, instruments, featureSet: featureSetV1 }), journal: SILENT }),
  });
}

/** Binance spot, as it refuses a request whole for one symbol. */
function spotThatKnows(isKnown: (symbol: string) => boolean): (asked: readonly string[]) => VenueAnswer {
  return (asked) =>
    asked.every(isKnown) ? answered(200, JSON.stringify({ symbols: asked.map((symbol) => ({ symbol, filters: FILTERS })) })) : UNKNOWN;
}

/** What the session asks for is answered until it asks no more. @returns the symbols of each request. */
function serve(world: ScriptedWorld, session: FeedSession, answer: (asked: readonly string[]) => VenueAnswer): string[][] {
  const asked: string[][] = [];
  session.watch();
  session.reach(() => {});
  for (let next = world.requests.shift(); next !== undefined; next = world.requests.shift()) {
    const symbols = JSON.parse(new URL(next.request.url).searchParams.get("symbols") ?? "[]") as string[];
    asked.push(symbols);
    next.answered(answer(symbols));
  }
  return asked;
}

describe("one symbol that the venue doesn't know", () => {
  it("is told with the venue's words, and the others are recorded", () => {
    const world = new ScriptedWorld();
    const session = sessionOf(world, ["BTCUSDT", "NOSUCH", "ETHUSDT"]);
    expect(
      serve(
        world,
        session,
        spotThatKnows((symbol) => symbol !== "NOSUCH"),
      ),
    ).toEqual([["BTCUSDT", "NOSUCH", "ETHUSDT"], ["BTCUSDT", "NOSUCH"], ["BTCUSDT"], ["NOSUCH"], ["ETHUSDT"]]);
    expect([...(session.books?.reducer.markets.keys() ?? [])]).toEqual(["BTCUSDT", "ETHUSDT"]);
    expect(session.unlisted).toEqual([{ symbol: "NOSUCH", reason: 'the venue answers 400: {"code":-1121,"msg":"Invalid symbol."}' }]);
    expect([world.dials.length, world.dials[0]?.url]).toEqual([1, expect.not.stringContaining("nosuch")]);
  });

  it("is asked for again five minutes later, not with each alarm", () => {
    const world = new ScriptedWorld();
    const session = sessionOf(world, ["NOSUCH"]);
    const knowsNone = spotThatKnows(() => false);
    expect(serve(world, session, knowsNone)).toEqual([["NOSUCH"]]);
    expect([session.books, world.dials, session.fault]).toEqual([null, [], expect.stringContaining("Invalid symbol")]);
    world.advance(299_000);
    expect(serve(world, session, knowsNone)).toEqual([]);
    world.advance(1_000);
    expect(
      serve(
        world,
        session,
        spotThatKnows(() => true),
      ),
    ).toEqual([["NOSUCH"]]);
    expect([session.books?.reducer.markets.size, session.unlisted]).toEqual([1, []]);
  });
});

describe("the search for unknown symbols", () => {
  const many = Array.from({ length: 200 }, (_, at) => `S${at}USDT`);

  it("finds one among hundreds in a few requests", () => {
    const world = new ScriptedWorld();
    const session = sessionOf(world, many);
    expect(
      serve(
        world,
        session,
        spotThatKnows((symbol) => symbol !== "S77USDT"),
      ).length,
    ).toBeLessThan(20);
    expect([session.books?.reducer.markets.size, session.unlisted.map(({ symbol }) => symbol)]).toEqual([199, ["S77USDT"]]);
  });

  it("has an end with many of them, and takes no half of a listing for the whole", () => {
    const world = new ScriptedWorld();
    const session = sessionOf(world, many);
    expect(
      serve(
        world,
        session,
        spotThatKnows((symbol) => Number(symbol.slice(1, -4)) % 2 === 0),
      ).length,
    ).toBe(64);
    expect([session.books, session.fault]).toEqual([null, expect.stringContaining("in 64 requests")]);
  });

  it("is one at a time: an alarm in its midst begins no other", () => {
    const world = new ScriptedWorld();
    const session = sessionOf(world, ["BTCUSDT", "NOSUCH"]);
    session.reach(() => {});
    world.requests.shift()?.answered(UNKNOWN);
    world.advance(10_000);
    session.reach(() => {});
    expect(world.requests.length).toBe(1);
  });

  it("isn't begun where the fault is the host's, or the request names no symbol", () => {
    for (const [adapter, answer] of [
      [binanceSpot, answered(503)],
      [binanceUsdM, answered(400, "no")],
    ] as const) {
      const world = new ScriptedWorld();
      const session = sessionOf(world, ["A", "B"], adapter);
      expect(serve(world, session, () => answer).length).toBe(1);
      expect(session.fault).toMatch(/could not be had/);
    }
  });
});
