import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorSentence, readClientMessage, readStreamQuery } from "../../feed/stream/requests.ts";

const HELD = ["binance-spot:AAAUSDT", "binance-spot:BBBUSDT"];
const [A = "", B = ""] = HELD;

function said(value: unknown, own: readonly string[] = [A]): ReturnType<typeof readClientMessage> {
  return readClientMessage(typeof value === "string" ? value : JSON.stringify(value), own, HELD);
}

describe("the query that a stream is opened with", () => {
  it("means all channels, 20 levels and 100 ms where nothing is said", () => {
    expect(readStreamQuery({ markets: A }, HELD)).toEqual([
      { market: A, channels: ["quote", "trades", "depth", "gaps"], levels: 20, intervalMs: 100 },
    ]);
  });

  it("is taken at its word, each market once", () => {
    expect(readStreamQuery({ markets: `${A},${B},${A}`, channels: "depth,gaps", levels: "500", intervalMs: "1000" }, HELD)).toEqual([
      { market: A, channels: ["depth", "gaps"], levels: 500, intervalMs: 1_000 },
      { market: B, channels: ["depth", "gaps"], levels: 500, intervalMs: 1_000 },
    ]);
  });

  it.each([
    [{}, "markets: at least one, as venue:SYMBOL"],
    [{ markets: "" }, "markets: not carried by this socket's feed: "],
    [{ markets: "binance-spot:NOPE" }, "markets: not carried by this socket's feed: binance-spot:NOPE"],
    [{ markets: A, channels: "" }, "channels: of quote, trades, depth, gaps"],
    [{ markets: A, channels: "depth,trade" }, "channels: of quote, trades, depth, gaps"],
    [{ markets: A, levels: "21" }, "levels: one of 20, 100, 500"],
    [{ markets: A, levels: "1e2" }, "levels: one of 20, 100, 500"],
    [{ markets: A, intervalMs: "0" }, "intervalMs: one of 100, 500, 1000, 5000"],
    [{ markets: A, interval: "100" }, "interval: no such parameter"],
    [{ markets: A, levels: "5", intervalMs: "5" }, "levels: one of 20, 100, 500; intervalMs: one of 100, 500, 1000, 5000"],
  ])("that can't be meant is refused by name, not obeyed in part: %j", (query, sentence) => {
    const refused = readStreamQuery(query, HELD);
    expect("errors" in refused && errorSentence(refused)).toBe(sentence);
  });
});

describe("a client's message", () => {
  it("means the client's own markets where it names none", () => {
    expect(said({ op: "subscribe", channels: ["quote"] }, [B])).toEqual({
      kind: "subscribe",
      subscriptions: [{ market: B, channels: ["quote"], levels: 20, intervalMs: 100 }],
    });
    expect(said({ op: "unsubscribe" }, [B])).toEqual({ kind: "unsubscribe", markets: [B], channels: null });
    expect(said({ op: "pong", id: "x" })).toEqual({ kind: "pong", id: "x" });
  });

  it.each([
    ["", "message: a JSON object was expected, and came: "],
    ["[1]", "message: a JSON object was expected, and came: [1]"],
    ["null", "message: a JSON object was expected, and came: null"],
    ["{}", "op: subscribe, unsubscribe or pong, and not nothing"],
    ['{"op":{"toString":1}}', 'op: subscribe, unsubscribe or pong, and not {"toString":1}'],
    ['{"op":"pong"}', "id: the id of the ping, as it came"],
    ['{"op":"subscribe","markets":"binance-spot:AAAUSDT"}', "markets: at least one, as venue:SYMBOL"],
    ['{"op":"subscribe","markets":[]}', "markets: at least one, as venue:SYMBOL"],
    ['{"op":"subscribe","channels":"depth"}', "channels: of quote, trades, depth, gaps"],
    ['{"op":"subscribe","channels":["__proto__"]}', "channels: of quote, trades, depth, gaps"],
    ['{"op":"subscribe","levels":"20"}', "levels: one of 20, 100, 500"],
    ['{"op":"subscribe","level":20}', "level: no such field"],
    ['{"op":"unsubscribe","markets":["x:Y"]}', "markets: not carried by this socket's feed: x:Y"],
  ])("that can't be meant is answered with why: %s", (text, sentence) => {
    const refused = said(text);
    expect("errors" in refused && errorSentence(refused)).toBe(sentence);
  });

  it("of a megabyte, or in binary, is not even parsed", () => {
    const long = said(" ".repeat(1_000_000));
    expect("errors" in long && errorSentence(long)).toBe("message: 1000000 characters: at most 8192 are read");
    const binary = readClientMessage(new Uint8Array(4).buffer, [A], HELD);
    expect("errors" in binary && errorSentence(binary)).toBe("message: text only: a binary message is not read");
  });

  it("never throws, and its refusal repeats little of it, whatever comes", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          op: fc.constantFrom("subscribe", "unsubscribe", "pong"),
          markets: fc.anything(),
          channels: fc.anything(),
          levels: fc.anything(),
        })
        .map((value) => {
          try {
            return JSON.stringify(value);
          } catch {
            return "{";
          }
        }),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const message = said(text);
        if ("errors" in message) for (const error of message.errors) expect(error.message.length).toBeLessThan(200);
      }),
      { numRuns: 2_000 },
    );
  });
});
