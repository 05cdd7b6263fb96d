/** What BitMEX is asked, on the socket and by REST, and what its instruments say. */

import { describe, expect, it } from "vitest";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import type { Signer } from "../../exchanges/contract.ts";
import { bitmexFixture } from "./fixture-bitmex.ts";

const SYMBOL = { ...JSON.parse(bitmexFixture.instrumentsBody)[1] };
const decode = (changes: Record<string, unknown>) => bitmex.decodeInstruments(JSON.stringify([{ ...SYMBOL, ...changes }]), ["XBTUSD"]);

describe("instruments", () => {
  it("are asked for by name, and by the columns that are read", () => {
    const { url, weight } = bitmex.instrumentsRequest({ stream: "", rest: "http://rest.test" }, ["XBTUSD", "ETHUSD"]);
    const { pathname, searchParams } = new URL(url);
    expect(pathname).toBe("/api/v1/instrument");
    expect(JSON.parse(searchParams.get("filter") ?? "")).toEqual({ symbol: ["XBTUSD", "ETHUSD"] });
    expect(JSON.parse(searchParams.get("columns") ?? "")).toContain("lotSize");
    expect(weight).toBe(1);
  });

  it("take grids and contract from the venue, and leave out what was not asked for", () => {
    const decoded = bitmex.decodeInstruments(bitmexFixture.instrumentsBody, ["XBTUSD", "NOSUCH"]);
    expect(decoded).toEqual({ instruments: [bitmexFixture.instrument] });
  });

  it("read a tick that JSON writes with an exponent, and the lot, as they are", () => {
    expect(decode({ tickSize: 1e-10, lotSize: 1_000 })).toMatchObject({
      instruments: [{ tick: { decimals: 10, mantissa: 1 }, lot: { decimals: 0, mantissa: 1_000 } }],
    });
  });

  it.each([
    ["linear", { isInverse: false, multiplier: 1, quoteToSettleMultiplier: 1_000_000 }, { kind: "linear", size: "0.000001", unit: "XBT" }],
    [
      "linear in large contracts",
      { isInverse: false, multiplier: 500, quoteToSettleMultiplier: 200 },
      { kind: "linear", size: "2.5", unit: "XBT" },
    ],
    ["quanto", { isInverse: false, isQuanto: true, multiplier: 100 }, { kind: "quanto", size: "100", unit: "XBt" }],
    ["inverse", { multiplier: -1_000_000_000 }, { kind: "inverse", size: "10", unit: "USD" }],
  ])("say what a %s contract is worth", (_, changes, contract) => {
    expect(decode(changes)).toMatchObject({ instruments: [{ contract }] });
  });

  it.each([
    ["no tick", { tickSize: null }, "tickSize of XBTUSD is null"],
    ["a tick of zero", { tickSize: 0 }, "tickSize of XBTUSD is 0"],
    ["a lot as text", { lotSize: "100" }, 'lotSize of XBTUSD is "100"'],
    ["no multiplier", { multiplier: undefined }, "multiplier of XBTUSD is nothing"],
    ["multipliers of two signs", { multiplier: 100_000_000 }, "no contract"],
    ["a ratio without an end", { multiplier: -1, underlyingToSettleMultiplier: -3 }, "no contract"],
    ["no kind", { isInverse: undefined }, '"isInverse" is nothing'],
  ])("refuse %s", (_, changes, reason) => {
    expect(decode(changes)).toEqual({ malformed: expect.stringContaining(reason) });
  });

  it("that can't be used is refused with its reason, and costs the others nothing", () => {
    const body = JSON.stringify([{ ...SYMBOL, symbol: "XBT_USDT", isInverse: false }, SYMBOL]);
    expect(bitmex.decodeInstruments(body, ["XBTUSD", "XBT_USDT"])).toEqual({
      instruments: [bitmexFixture.instrument],
      unreadable: [{ symbol: "XBT_USDT", reason: expect.stringMatching(/^multiplier of XBT_USDT .*no contract$/) }],
    });
    // Listed again, readable: which of the two it is nobody knows.
    const twice = JSON.stringify([SYMBOL, { ...SYMBOL, tickSize: 0 }, { ...SYMBOL, symbol: "ETHUSD" }]);
    expect(bitmex.decodeInstruments(twice, ["XBTUSD", "ETHUSD"])).toMatchObject({
      instruments: [{ symbol: "ETHUSD" }],
      unreadable: [{ symbol: "XBTUSD", reason: "tickSize of XBTUSD is 0, not a number above zero" }],
    });
  });

  it.each([
    ["the venue's error", '{"error":{"message":"Rate limit exceeded","name":"RateLimitError"}}', "the venue answered"],
    ["HTML", "<html>busy</html>", "not JSON"],
    ["an object", "{}", "not an array"],
    ["a row that is none", "[7]", "an entry is 7"],
  ])("refuse %s", (_, body, reason) => {
    expect(bitmex.decodeInstruments(body, ["XBTUSD"])).toEqual({ malformed: expect.stringContaining(reason) });
  });
});

describe("subscriptions", () => {
  const symbols = Array.from({ length: 15 }, (_, at) => `S${at}`);
  const parsed = (frames: readonly string[]) => frames.map((frame) => JSON.parse(frame));

  it("name every topic once, with its pool, and no more than the venue takes in one message", () => {
    const frames = parsed(bitmex.subscribe(symbols, null));
    expect(frames.map(({ op, args }) => [op, args.length])).toEqual([
      ["subscribe", 20],
      ["subscribe", 20],
      ["subscribe", 20],
      ["subscribe", 15],
    ]);
    const topics = frames.flatMap(({ args }) => args);
    expect(new Set(topics).size).toBe(75);
    // An instrument has no pools.
    expect(topics.slice(0, 5)).toEqual([
      "orderBookL2:S0:Primary",
      "trade:S0:Primary",
      "quote:S0:Primary",
      "orderBook10:S0:Primary",
      "instrument:S0",
    ]);
  });

  it("leave a channel before they ask for it again: a topic that is subscribed is refused", () => {
    expect(parsed(bitmex.resubscribe(["XBTUSD"], "depth", null))).toEqual([
      { op: "unsubscribe", args: ["orderBookL2:XBTUSD:Primary"] },
      { op: "subscribe", args: ["orderBookL2:XBTUSD:Primary"] },
    ]);
    expect(
      parsed(bitmex.resubscribe(symbols.concat(symbols.map((each) => `${each}X`)), "quotes", null)).map(({ args }) => args.length),
    ).toEqual([20, 20, 20, 20, 20, 20]);
  });

  it("begin with the signature where there is a key", async () => {
    const asked: string[][] = [];
    const signer: Signer = {
      hmacSha256(secret, text) {
        asked.push([secret, text]);
        return Promise.resolve("c0ffee");
      },
      es256: () => Promise.reject(new Error("not this venue's")),
    };
    const token = (await bitmex.authenticate?.({ id: "key", secret: "hidden" }, signer, 1_518_064_176_500)) ?? null;
    expect(asked).toEqual([["hidden", "GET/realtime1518064236"]]);
    expect(JSON.parse(token ?? "")).toEqual({ op: "authKeyExpires", args: ["key", 1_518_064_236, "c0ffee"] });
    expect(bitmex.subscribe(["XBTUSD"], token)[0]).toBe(token);
  });

  it("connect to the host that is given", () => {
    expect(bitmex.streamUrl({ stream: "ws://stream.test:1", rest: "" }, ["XBTUSD"])).toBe("ws://stream.test:1/realtime");
  });
});
