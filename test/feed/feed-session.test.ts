/**
 * What a session does of its own accord beside the reducer: what it sends, and when it dials. Losses prevented: a subscription that the venue refuses and
 * nobody sees; one that is sent with a token that has run out; a storm of dials for which the address is banned.
 */

import { describe, expect, it } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import { coinbaseAdvanced } from "../../exchanges/coinbase/advanced.ts";
import { coinbaseExchange } from "../../exchanges/coinbase/exchange.ts";
import type { ExchangeAdapter, SocketRefusal } from "../../exchanges/contract.ts";
import type { FeedSession } from "../../feed/session/feed-session.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";
import { answered, type Dialled, ScriptedWorld, START, sessionIn } from "./scripted-world.ts";

function instrument(venue: string, symbol: string): Instrument {
  return { venue, symbol, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };
}

const XBT = instrument("bitmex", "XBTUSD");
const ETH = instrument("bitmex", "ETHUSD");

/** What was sent from a time on, as `<op or type> <topics or channel>`. */
function sentFrom({ sent }: Dialled, from: number): string[] {
  return sent.flatMap(({ at, text }) => (at >= from && text !== "ping" ? [shortOf(JSON.parse(text) as Record<string, unknown>)] : []));
}

function shortOf({ op, args, type, channel }: Record<string, unknown>): string {
  return op === undefined ? `${String(type)} ${String(channel)}` : `${String(op)} ${String(args)}`;
}

function refused(status: number, args: readonly string[], meta: Record<string, unknown> = {}): string {
  return JSON.stringify({ status, error: "no", meta, request: { op: "subscribe", args } });
}

/** A book's image, a quote and a trade of a symbol. */
function everything(symbol: string): string[] {
  const timestamp = "2026-01-05T12:00:10.000Z";
  const row = (side: string, id: number, price: number) => ({ symbol, id, side, size: 10, price, timestamp, pool: "Primary" });
  const rows = [row("Buy", 1, 100), row("Sell", 2, 101)];
  const quote = { timestamp, symbol, bidSize: 10, bidPrice: 100, askPrice: 101, askSize: 10, pool: "Primary" };
  const trade = {
    timestamp,
    symbol,
    side: "Buy",
    size: 1,
    price: 101,
    trdMatchID: "00000000-0000-0000-0000-000000000001",
    pool: "Primary",
  };
  return [
    JSON.stringify({ table: "orderBookL2", action: "partial", keys: ["symbol", "id", "side"], filter: { symbol }, data: rows }),
    JSON.stringify({ table: "quote", action: "insert", data: [quote] }),
    JSON.stringify({ table: "trade", action: "insert", data: [trade] }),
  ];
}

/** A change of the best bid's size. */
function resized(symbol: string, size: number): string {
  const row = { symbol, id: 1, side: "Buy", size, price: 100, timestamp: "2026-01-05T12:00:10.000Z", pool: "Primary" };
  return JSON.stringify({ table: "orderBookL2", action: "update", data: [row] });
}

function bookOf(symbol: string): string {
  return everything(symbol)[0] ?? "";
}

/** Two markets live on a connection that is to be audited, both as `bookOf` has them, and the standby has just been opened for that. */
function withStandby(): { world: ScriptedWorld; session: FeedSession; line: Dialled; standby: Dialled } {
  const world = new ScriptedWorld();
  const session = sessionIn(world, { adapter: bitmex, instruments: [XBT, ETH] });
  world.alarm(session);
  const line = world.open();
  for (const symbol of ["XBTUSD", "ETHUSD"]) line.listener.text(bookOf(symbol));
  for (let second = 0; second < 700 && world.dials.length < 2; second++) {
    world.advance(1_000);
    for (const symbol of ["XBTUSD", "ETHUSD"]) for (const size of [11, 10]) line.listener.text(resized(symbol, size));
    world.alarm(session);
  }
  return { world, session, line, standby: world.open() };
}

describe("a subscription made anew", () => {
  it("is signed with a token of its own: the first one's has run out after two minutes, and the venue would refuse it", () => {
    const world = new ScriptedWorld();
    world.tokens = 0;
    const session = sessionIn(world, { adapter: coinbaseAdvanced, instruments: [instrument("coinbase-advanced", "BTC-USD")] });
    world.alarm(session);
    const line = world.open();
    world.advance(16_000);
    expect(line.sent.every(({ text }) => text.includes('"jwt":"token-1"'))).toBe(true);
    const asked = world.now();
    world.alarm(session);
    world.advance(1_000);
    expect(sentFrom(line, asked)).toEqual(["unsubscribe level2", "subscribe level2"]);
    expect(line.sent.slice(-2).every(({ text }) => text.includes('"jwt":"token-2"'))).toBe(true);
  });
});

describe("a key that can't be used", () => {
  it("is a dial that failed, and one subscription less on a connection that is open: never an unsigned one", () => {
    const world = new ScriptedWorld();
    world.keyFault = "not a PEM";
    const session = sessionIn(world, { adapter: coinbaseAdvanced, instruments: [instrument("coinbase-advanced", "BTC-USD")] });
    world.alarm(session);
    expect([world.dials.length, session.connectionStatus.state, session.connectionStatus.lastDownReason]).toEqual([
      0,
      "waiting",
      "the venue's key can't be used: not a PEM",
    ]);
    world.keyFault = null;
    world.tokens = 0;
    world.advance(1_000);
    world.alarm(session);
    const line = world.open();
    world.advance(16_000);
    const said = line.sent.length;
    world.keyFault = "gone";
    world.alarm(session);
    world.advance(1_000);
    expect([line.sent.length, world.logged]).toEqual([said, ["the venue's key can't be used"]]);
  });
});

describe("what a venue refuses on the socket", () => {
  it("shows in the feed's status: how often, when, and in the venue's words, of which a page is cut", () => {
    const world = new ScriptedWorld();
    const words: SocketRefusal = { kind: "control", control: "refused", detail: "no ".repeat(1_000), retryAfterMs: null, among: null };
    const adapter: ExchangeAdapter = {
      ...coinbaseExchange,
      createDecoder: (instruments) => ({ ...coinbaseExchange.createDecoder(instruments), decode: () => words }),
    };
    const session = sessionIn(world, { adapter, instruments: [instrument("coinbase-exchange", "BTC-USD")] });
    world.alarm(session);
    const line = world.open();
    expect(session.connectionStatus).toMatchObject({ refusals: 0, lastRefusal: null });
    world.advance(500);
    line.listener.text("a");
    world.advance(500);
    line.listener.text("b");
    const { refusals, lastRefusal } = session.connectionStatus;
    expect([refusals, lastRefusal?.at, lastRefusal?.detail.length]).toEqual([2, START + 1_000, 200]);
  });

  it("is asked for again, ever later, where it names it and nothing of it has come; what has come is left alone", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT, ETH] });
    world.alarm(session);
    const line = world.open();
    for (const text of everything("XBTUSD")) line.listener.text(text);
    const topics = ["orderBookL2:XBTUSD:Primary", "trade:XBTUSD:Primary", "quote:XBTUSD:Primary", "trade:ETHUSD:Primary"];
    const retries: number[] = [];
    line.listener.text(refused(400, topics));
    for (let second = 0; second < 1_200; second++) {
      const before = line.sent.length;
      world.advance(1_000);
      world.alarm(session);
      line.listener.text("pong");
      const again = line.sent.slice(before).find(({ text }) => text.includes('"subscribe"') && text.includes("trade:"));
      if (again === undefined) continue;
      expect(JSON.parse(again.text)).toEqual({ op: "subscribe", args: ["trade:ETHUSD:Primary"] });
      retries.push(again.at);
      line.listener.text(refused(400, ["trade:ETHUSD:Primary"]));
    }
    const waits = retries.map((at, index) => Math.round((at - (retries[index - 1] ?? START)) / 1_000));
    // Doubled from 5 s to 300; the watchdog looks each second here, and one is between leaving a topic and asking for it anew.
    expect(waits).toEqual([6, 12, 21, 41, 81, 161, 301, 301]);
    expect(session.connectionStatus.refusals).toBe(9);
  });

  it("is whatever has not come, where the venue doesn't say what it refuses", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: coinbaseExchange, instruments: [instrument("coinbase-exchange", "BTC-USD")] });
    world.alarm(session);
    const line = world.open();
    const said = line.sent.length;
    line.listener.text('{"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not a valid product"}');
    const again = () => line.sent.slice(said).flatMap(({ text }) => (text.includes('"subscribe"') ? [text] : []));
    world.advance(4_000);
    world.alarm(session);
    expect(again()).toEqual([]);
    world.advance(1_000);
    world.alarm(session);
    world.advance(12_000);
    world.alarm(session);
    world.advance(1_000);
    const subscribed = ["level2_batch", "matches", "ticker"].map(
      (name) => `{"type":"subscribe","product_ids":["BTC-USD"],"channels":["${name}"]}`,
    );
    expect(again().toSorted()).toEqual(subscribed);
  });

  it("is a book that is asked for later and later, instead of each 15 s for ever", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT] });
    world.alarm(session);
    const line = world.open();
    const asked: number[] = [];
    for (let second = 0; second < 900; second++) {
      const before = line.sent.length;
      world.advance(1_000);
      world.alarm(session);
      line.listener.text("pong");
      for (const { at, text } of line.sent.slice(before)) {
        if (!text.includes('"subscribe"')) continue;
        asked.push(at);
        line.listener.text(refused(400, ["orderBookL2:XBTUSD:Primary"]));
      }
    }
    // The first of them is refused too; one each 15 s would be 60.
    expect(asked.length).toBeGreaterThan(4);
    expect(asked.length).toBeLessThan(10);
  });

  it("keeps no live book waiting, should that break: it was there all the same", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT] });
    world.alarm(session);
    const line = world.open();
    for (const text of everything("XBTUSD")) line.listener.text(text);
    world.advance(2_000);
    line.listener.text(refused(400, ["orderBookL2:XBTUSD:Primary"]));
    const broken = { symbol: "XBTUSD", id: 9, side: "Buy", size: 5, price: 99, timestamp: "2026-01-05T12:00:12.000Z", pool: "Primary" };
    line.listener.text(JSON.stringify({ table: "orderBookL2", action: "update", data: [broken] }));
    world.advance(1_000);
    expect(sentFrom(line, START + 2_000)).toEqual(["unsubscribe orderBookL2:XBTUSD:Primary", "subscribe orderBookL2:XBTUSD:Primary"]);
  });

  it("is asked for again when it was refused on a standby that has taken over, every channel of it: nobody else would miss trades and quotes", () => {
    const { world, session, standby } = withStandby();
    const topics = ["orderBookL2:ETHUSD:Primary", "trade:ETHUSD:Primary", "quote:ETHUSD:Primary", "orderBook10:ETHUSD:Primary"];
    standby.listener.text(bookOf("XBTUSD"));
    standby.listener.text(refused(400, topics));
    world.advance(5_000);
    world.dials[0]?.listener.down("1006");
    const from = world.now();
    for (let second = 0; second < 12; second++) {
      world.advance(1_000);
      for (const text of everything("XBTUSD").slice(1)) standby.listener.text(text);
      session.watch();
      session.reach(() => {});
    }
    const again = sentFrom(standby, from).filter((text) => text.startsWith("subscribe"));
    expect(again.toSorted()).toEqual([
      "subscribe orderBookL2:ETHUSD:Primary",
      "subscribe quote:ETHUSD:Primary,orderBook10:ETHUSD:Primary",
      "subscribe trade:ETHUSD:Primary",
    ]);
  });

  it("with a time to wait silences all of the process for so long: another feed's dials and requests, and this one's own messages", () => {
    const world = new ScriptedWorld();
    const budget = new VenueBudget(bitmex.limits);
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT], budget });
    const other = sessionIn(world, { adapter: bitmex, instruments: [ETH], budget });
    world.alarm(session);
    const line = world.open();
    world.advance(3_000);
    const from = world.now();
    line.listener.text(refused(429, ["trade:XBTUSD:Primary"], { retryAfter: 40 }));
    const until = from + 40_000;
    expect([budget.mayAsk(until - 1, 1), budget.mayAsk(until, 1)]).toEqual([false, true]);
    for (let second = 0; second < 39; second++) {
      world.advance(1_000);
      line.listener.text("pong");
      world.alarm(session);
      world.alarm(other);
    }
    expect(world.dials.length).toBe(1);
    expect(sentFrom(line, from)).toEqual([]);
    expect(world.wakes).toContain(until);
    world.advance(1_000);
    world.alarm(session);
    world.alarm(other);
    world.advance(4_000);
    expect(world.dials.length).toBe(2);
    const again = ["trade", "orderBookL2"].flatMap((table) => ["unsubscribe", "subscribe"].map((op) => `${op} ${table}:XBTUSD:Primary`));
    expect(sentFrom(line, from)).toEqual(again);
  });

  it("is nothing where a topic is left that there was no subscription to: it was to be left", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT] });
    world.alarm(session);
    const line = world.open();
    line.listener.text(
      JSON.stringify({ status: 400, error: "not subscribed", request: { op: "unsubscribe", args: ["trade:XBTUSD:Primary"] } }),
    );
    expect(session.connectionStatus).toMatchObject({ refusals: 0, lastRefusal: null });
  });

  it("is no product that the venue doesn't list: that one isn't subscribed to, since it would cost the others their message", () => {
    const world = new ScriptedWorld();
    const instruments = [instrument("coinbase-exchange", "BTC-USD")];
    const session = sessionIn(world, { adapter: coinbaseExchange, instruments, symbols: ["BTC-USD", "BTC-XYZ"] });
    world.alarm(session);
    expect(JSON.parse(world.open().sent[0]?.text ?? "")).toMatchObject({ type: "subscribe", product_ids: ["BTC-USD"] });
  });
});

describe("a market that the standby carries already", () => {
  it("and that breaks is asked for there at once: what the other connection answers is passed over, for two minutes", () => {
    const { world, session, line, standby } = withStandby();
    standby.listener.text(bookOf("XBTUSD"));
    world.advance(2_000);
    const from = world.now();
    const broken = { symbol: "XBTUSD", id: 7, side: "Buy", size: 1, price: 102, timestamp: "2026-01-05T12:00:10.000Z", pool: "Primary" };
    standby.listener.text(JSON.stringify({ table: "orderBookL2", action: "insert", data: [broken] }));
    world.advance(1_000);
    expect(sentFrom(line, from)).toEqual([]);
    expect(sentFrom(standby, from)).toEqual(["unsubscribe orderBookL2:XBTUSD:Primary", "subscribe orderBookL2:XBTUSD:Primary"]);
    standby.listener.text(bookOf("XBTUSD"));
    expect(session.books?.reducer.markets.get("XBTUSD")?.state).toBe("live");
  });

  it("and that waits for its book there is asked for on the one that is left when the standby goes down, at once", () => {
    const { world, line, standby } = withStandby();
    standby.listener.text(bookOf("XBTUSD"));
    world.advance(2_000);
    const broken = { symbol: "XBTUSD", id: 7, side: "Buy", size: 1, price: 102, timestamp: "2026-01-05T12:00:10.000Z", pool: "Primary" };
    standby.listener.text(JSON.stringify({ table: "orderBookL2", action: "insert", data: [broken] }));
    world.advance(5_000);
    line.listener.text("pong");
    const from = world.now();
    standby.listener.down("1006");
    world.advance(3_000);
    expect(sentFrom(line, from)).toEqual(["unsubscribe orderBookL2:XBTUSD:Primary", "subscribe orderBookL2:XBTUSD:Primary"]);
  });
});

/** The size of its best bid is one more than the second. */
function bookBegun(line: Dialled, second: number): Dialled {
  line.listener.text(
    JSON.stringify({ type: "snapshot", product_id: "BTC-USD", bids: [["100.00", `${second + 1}`]], asks: [["101.00", "1"]] }),
  );
  return line;
}

describe("dials", () => {
  it("follow each minute where a feed is to be audited so often: the three minutes are for a standby that failed", () => {
    const world = new ScriptedWorld();
    const instruments = [instrument("coinbase-exchange", "BTC-USD")];
    const session = sessionIn(world, { adapter: coinbaseExchange, instruments, succeededAtAgeMs: 60_000 });
    const lines: Dialled[] = [];
    for (let second = 0; second < 1_200; second++) {
      world.advance(1_000);
      if (second % 10 === 0) world.alarm(session);
      while (lines.length < world.dials.length) lines.push(bookBegun(world.open(), second));
      const changed = {
        type: "l2update",
        product_id: "BTC-USD",
        time: new Date(world.now()).toISOString(),
        changes: [["buy", "100.00", `${second + 2}`]],
      };
      for (const line of lines.slice(-2)) if (line.closed === null) line.listener.text(JSON.stringify(changed));
    }
    // The watchdog looks each ten seconds: at 70 s, for a minute's age, and once more until the books are known to have met.
    expect(session.books?.reducer.markets.get("BTC-USD")?.audits).toBeGreaterThanOrEqual(14);
  });

  it("of all feeds of a venue come from one budget, and each is woken when it has one again", () => {
    const world = new ScriptedWorld();
    const budget = new VenueBudget(bitmex.limits);
    const sessions = Array.from({ length: 30 }, () => sessionIn(world, { adapter: bitmex, instruments: [XBT], budget }));
    for (const session of sessions) world.alarm(session);
    expect(world.dials.length).toBe(27);
    expect(world.wakes).toEqual([START + 133_334, START + 133_334, START + 133_334]);
    world.advance(133_334);
    for (const session of sessions) world.alarm(session);
    expect(world.dials.length).toBe(28);
  });

  it("end in an answer always, so that whoever waits for the feed to have reached its venue doesn't wait for ever", () => {
    const world = new ScriptedWorld();
    const session = sessionIn(world, { adapter: bitmex, instruments: [XBT] });
    let reached = 0;
    session.reach(() => reached++);
    // The grids come first.
    expect([world.requests.length, world.dials.length, reached]).toEqual([1, 0, 0]);
    world.requests[0]?.answered(answered(500));
    expect([world.dials.length, reached]).toEqual([1, 0]);
    world.dials[0]?.listener.refused(answered(503));
    expect([reached, session.connectionStatus.state, world.wakes.length]).toEqual([1, "waiting", 1]);
  });
});
