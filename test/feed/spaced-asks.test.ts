/**
 * Books that are asked for by frames which the venue wants spaced: BitMEX, one a second. Loss prevented: an ask that waited in a queue is sent when its
 * book is long whole again, leaves the channel, and breaks it.
 */

import { describe, expect, it } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import type { FeedSession } from "../../feed/session/feed-session.ts";
import { type Dialled, ScriptedWorld, START, sessionIn } from "./scripted-world.ts";

const TIMESTAMP = "2026-01-05T12:00:10.000Z";

function row(symbol: string, of: { id: number; side: "Buy" | "Sell"; price: number; size: number }): Record<string, unknown> {
  return { symbol, ...of, timestamp: TIMESTAMP, pool: "Primary" };
}

/** A BitMEX that gives a book's image when it is subscribed to, and its changes for as long as it is. */
class Venue {
  readonly line: Dialled;
  private readonly sizes: Map<string, number>;
  private readonly subscribed = new Set<string>();
  private read = 0;

  constructor(line: Dialled, symbols: readonly string[]) {
    this.line = line;
    this.sizes = new Map(symbols.map((symbol) => [symbol, 10]));
  }

  answer(): void {
    for (const { text } of this.line.sent.slice(this.read)) {
      this.read++;
      if (text === "ping") continue;
      const { op, args } = JSON.parse(text) as { op: string; args: string[] };
      for (const topic of args) if (topic.startsWith("orderBookL2:")) this.turn(op, topic.split(":")[1] ?? "");
    }
  }

  /** Every book's best bid is of another size now. */
  change(): void {
    for (const [symbol, size] of this.sizes) {
      this.sizes.set(symbol, size + 1);
      if (!this.subscribed.has(symbol)) continue;
      const data = [row(symbol, { id: 1, side: "Buy", price: 100, size: size + 1 })];
      this.line.listener.text(JSON.stringify({ table: "orderBookL2", action: "update", data }));
    }
  }

  /** A change of a level that was never there. */
  breakBook(symbol: string): void {
    const data = [row(symbol, { id: 99, side: "Buy", price: 99, size: 5 })];
    this.line.listener.text(JSON.stringify({ table: "orderBookL2", action: "update", data }));
  }

  /** The whole book. */
  send(symbol: string): void {
    const bid = row(symbol, { id: 1, side: "Buy", price: 100, size: this.sizes.get(symbol) ?? 0 });
    const data = [bid, row(symbol, { id: 2, side: "Sell", price: 101, size: 10 })];
    this.line.listener.text(JSON.stringify({ table: "orderBookL2", action: "partial", keys: ["symbol"], filter: { symbol }, data }));
  }

  private turn(op: string, symbol: string): void {
    if (op !== "subscribe") {
      this.subscribed.delete(symbol);
      return;
    }
    this.subscribed.add(symbol);
    this.send(symbol);
  }
}

function opened(symbols: readonly string[]): { world: ScriptedWorld; session: FeedSession; line: Dialled } {
  const world = new ScriptedWorld();
  const instruments = symbols.map(
    (symbol): Instrument => ({ venue: "bitmex", symbol, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } }),
  );
  const session = sessionIn(world, { adapter: bitmex, instruments });
  world.alarm(session);
  return { world, session, line: world.open() };
}

function depthAsks({ sent }: Dialled, from: number): number[] {
  return sent
    .filter(({ at, text }) => at >= from && text.includes('"subscribe"') && text.includes("orderBookL2:"))
    .map(({ at }) => at - from);
}

describe("books that break faster than the venue lets us ask", () => {
  it("are asked for together as soon as a frame may go, and none again that is whole by then: each has the one gap", () => {
    const symbols = Array.from({ length: 40 }, (_, at) => `S${at}USD`);
    const { world, session, line } = opened(symbols);
    const venue = new Venue(line, symbols);
    const pass = (seconds: number): void => {
      for (let tenth = 0; tenth < seconds * 10; tenth++) {
        world.advance(100);
        venue.answer();
        if (tenth % 5 === 0) venue.change();
        if (tenth % 100 === 0) world.alarm(session);
      }
    };
    pass(30);
    session.books?.reducer.takeGapChanges();
    const before = line.sent.length;
    const brokenAt = world.now();
    for (const symbol of symbols) {
      venue.breakBook(symbol);
      pass(0.2);
    }
    pass(60);
    const gaps = session.books?.reducer.takeGapChanges() ?? [];
    expect(gaps.map(({ reason }) => reason)).toEqual(symbols.map(() => "unknown-level"));
    // The last breaks after eight seconds, and may wait for an ask of two frames before its own.
    expect(Math.max(...gaps.map(({ to }) => (to ?? Number.POSITIVE_INFINITY) - brokenAt))).toBeLessThan(12_000);
    expect(line.sent.slice(before).filter(({ text }) => text !== "ping").length).toBeLessThan(20);
  });

  it("are asked for once the line has nothing else to send, and not if they have come by then", () => {
    // Fifteen frames of twenty topics: the last goes fourteen seconds after the first.
    const symbols = Array.from({ length: 60 }, (_, at) => `S${at}USD`);
    const { world, line } = opened(symbols);
    const venue = new Venue(line, symbols);
    venue.answer();
    venue.breakBook("S0USD");
    venue.breakBook("S1USD");
    venue.send("S0USD");
    for (let second = 0; second < 16; second++) {
      world.advance(1_000);
      line.listener.text("pong");
    }
    const asked = line.sent.filter(({ at, text }) => at >= START + 14_001 && text !== "ping").map(({ at, text }) => [at - START, text]);
    expect(asked).toEqual([
      [15_000, '{"op":"unsubscribe","args":["orderBookL2:S1USD:Primary"]}'],
      [16_000, '{"op":"subscribe","args":["orderBookL2:S1USD:Primary"]}'],
    ]);
  });
});

describe("a book that doesn't come", () => {
  it("is asked for again fifteen seconds after it was subscribed to, not after its ask began to wait for its turn", () => {
    const symbols = Array.from({ length: 60 }, (_, at) => `S${at}USD`);
    const { world, session, line } = opened(symbols);
    for (let second = 0; second < 75; second++) {
      world.advance(1_000);
      line.listener.text("pong");
      session.watch();
      session.reach(() => {});
    }
    // All of them were subscribed to in the first fourteen seconds; each ask is three frames that leave, and three that come back.
    const again = depthAsks(line, START).filter((at) => at > 14_000);
    expect(again).toEqual([32_000, 33_000, 34_000, 52_000, 53_000, 54_000, 72_000, 73_000, 74_000]);
  });
});
