/** What a session makes of the grids that its venue lists. Loss prevented: books that never begin, or that begin anew for nothing and take others with them. */

import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { FeedSession } from "../../feed/session/feed-session.ts";
import type { Books } from "../../feed/session/inputs.ts";
import type { Journal } from "../../feed/session/journal.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";
import { ScriptedWorld, SILENT } from "./scripted-world.ts";

const SYMBOLS = ["XBTUSD", "ETHUSD"];
/** Between two requests for the listing, where there are books. */
const REFRESH_MS = 300_000;

function booksOn(instruments: readonly Instrument[], journal: Journal = SILENT): Books {
  return { reducer: new FeedReducer({ adapter: bitmex, instruments, featureSet: featureSetV1 }), journal };
}

function sessionOf(world: ScriptedWorld, startBooks: (instruments: readonly Instrument[]) => Books = booksOn): FeedSession {
  return new FeedSession({ adapter: bitmex, symbols: SYMBOLS, budget: new VenueBudget(bitmex.limits), port: world, startBooks });
}

/** An inverse contract of one dollar. */
function row(symbol: string, tickSize = 0.5): Record<string, unknown> {
  return {
    ...{ symbol, tickSize, lotSize: 1, multiplier: -100_000_000, isInverse: true, isQuanto: false },
    ...{
      underlying: "XBT",
      quoteCurrency: "USD",
      settlCurrency: "XBt",
      underlyingToSettleMultiplier: -100_000_000,
      quoteToSettleMultiplier: null,
    },
  };
}

function image(symbol: string): string {
  const rows = [
    { id: 1, side: "Buy", price: 100 },
    { id: 2, side: "Sell", price: 101 },
  ];
  const data = rows.map((each) => ({ symbol, size: 10, timestamp: "2026-01-05T12:00:10.000Z", pool: "Primary", ...each }));
  return JSON.stringify({ table: "orderBookL2", action: "partial", keys: ["symbol"], filter: { symbol }, data });
}

/** Looks after the session. @returns how often the venue was asked for its instruments, and gave these. */
function lookAfter(world: ScriptedWorld, session: FeedSession, rows: readonly unknown[]): number {
  session.watch();
  session.reach(() => {});
  const asked = world.requests.splice(0);
  for (const { answered } of asked) answered({ status: 200, body: JSON.stringify(rows), header: () => null });
  return asked.length;
}

/** The venue keeps the connection alive. */
function pass(world: ScriptedWorld, ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    world.advance(1_000);
    world.dials.at(-1)?.listener.text("pong");
  }
}

describe("books that could not be begun", () => {
  it("are begun on the next listing, seconds later, not after the day for which one is good", () => {
    const world = new ScriptedWorld();
    let started = 0;
    const session = sessionOf(world, (instruments) => {
      if (++started === 1) throw new Error("storage refused");
      return booksOn(instruments);
    });
    world.advance(1_000);
    expect(() =>
      lookAfter(
        world,
        session,
        SYMBOLS.map((symbol) => row(symbol)),
      ),
    ).toThrow("storage refused");
    expect(session.books).toBeNull();
    world.advance(10_000);
    lookAfter(
      world,
      session,
      SYMBOLS.map((symbol) => row(symbol)),
    );
    expect([...(session.books?.reducer.markets.keys() ?? [])]).toEqual(SYMBOLS);
  });
});

describe("a grid that has changed", () => {
  it("waits while storage refuses what the books on the last one have written down: it would be lost with them, and no gap would say so", () => {
    const world = new ScriptedWorld();
    let answer: "stored" | "refused" = "stored";
    const journal: Journal = { ...SILENT, flush: () => answer };
    const session = sessionOf(world, (instruments) => booksOn(instruments, journal));
    world.advance(1_000);
    lookAfter(world, session, [row("XBTUSD"), row("ETHUSD")]);
    const first = session.books;
    world.open().listener.text("{bad");
    answer = "refused";
    pass(world, REFRESH_MS);
    expect(lookAfter(world, session, [row("XBTUSD", 0.1), row("ETHUSD")])).toBe(1);
    expect([session.books === first, world.dials[0]?.closed]).toEqual([true, null]);
    answer = "stored";
    pass(world, REFRESH_MS);
    expect(lookAfter(world, session, [row("XBTUSD", 0.1), row("ETHUSD")])).toBe(1);
    expect(session.books?.reducer.markets.get("XBTUSD")?.instrument.tick).toEqual({ decimals: 1, mantissa: 1 });
  });
});

describe("a market that a later listing lacks", () => {
  const both = [row("XBTUSD"), row("ETHUSD")];
  const marketsOf = (session: FeedSession): string[] => [...(session.books?.reducer.markets.keys() ?? [])];

  function live(): { world: ScriptedWorld; session: FeedSession } {
    const world = new ScriptedWorld();
    const session = sessionOf(world);
    world.advance(1_000);
    lookAfter(world, session, both);
    world.open().listener.text("{bad");
    pass(world, REFRESH_MS);
    world.dials[0]?.listener.text(image("XBTUSD"));
    return { world, session };
  }

  it("takes no other with it where it is back in the next: one hiccup of the venue's would be a gap of every market", () => {
    const { world, session } = live();
    lookAfter(world, session, [row("XBTUSD")]);
    pass(world, REFRESH_MS);
    expect(lookAfter(world, session, both)).toBe(1);
    expect([world.dials[0]?.closed, marketsOf(session)]).toEqual([null, SYMBOLS]);
    // The next hiccup is the first again.
    world.dials[0]?.listener.text("{bad");
    pass(world, REFRESH_MS);
    world.dials[0]?.listener.text(image("XBTUSD"));
    expect(lookAfter(world, session, [row("XBTUSD")])).toBe(1);
    expect([world.dials[0]?.closed, marketsOf(session)]).toEqual([null, SYMBOLS]);
  });

  it("is gone when the next lacks it too: a venue may refuse all for one that it doesn't list", () => {
    const { world, session } = live();
    lookAfter(world, session, [row("XBTUSD")]);
    pass(world, REFRESH_MS);
    world.dials[0]?.listener.text(image("XBTUSD"));
    expect(lookAfter(world, session, [row("XBTUSD")])).toBe(1);
    expect([world.dials[0]?.closed, marketsOf(session)]).toEqual(["the venue's grids have changed", ["XBTUSD"]]);
  });

  it("is gone at once where no book is live: there is nothing to lose, and it may be why", () => {
    const { world, session } = live();
    world.dials[0]?.listener.text("{bad");
    lookAfter(world, session, [row("XBTUSD")]);
    expect(marketsOf(session)).toEqual(["XBTUSD"]);
  });
});
