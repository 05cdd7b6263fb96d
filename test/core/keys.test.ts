import { describe, expect, it } from "vitest";
import { parseTapeKey, parseTapesKey, tapeKey, tapesDayPrefix, tapesKey, tapesMinutePrefix } from "../../core/wire/keys.ts";

const minuteMs = Date.UTC(2026, 0, 5, 12, 34);

describe("the key of a feed's minute", () => {
  const key = "tape/v2/binance-spot/2026-01-05/1234.main-2.07.tapes.gz";

  it("is the one that stored tapes lie under: built or read otherwise, they would all be lost to their readers", () => {
    expect(tapesKey({ venue: "binance-spot", feed: "main-2", minuteMs, part: 7 })).toBe(key);
    expect(parseTapesKey(key)).toEqual({ venue: "binance-spot", feed: "main-2", minuteMs, part: 7 });
  });

  it("begins as its minute and its day do, and as no other minute does: a listing finds what it is asked for, and only that", () => {
    expect(tapesMinutePrefix("binance-spot", minuteMs)).toBe("tape/v2/binance-spot/2026-01-05/1234.");
    expect(tapesDayPrefix("binance-spot", "2026-01-05")).toBe("tape/v2/binance-spot/2026-01-05/");
  });

  it("sorts by time, then feed, then part", () => {
    const keys = [
      tapesKey({ venue: "v", feed: "b", minuteMs: minuteMs + 60_000, part: 0 }),
      tapesKey({ venue: "v", feed: "b", minuteMs, part: 10 }),
      tapesKey({ venue: "v", feed: "b", minuteMs, part: 2 }),
      tapesKey({ venue: "v", feed: "a", minuteMs, part: 99 }),
    ];
    expect(keys.toSorted()).toEqual(keys.toReversed());
  });

  it.each([
    "tape/v1/binance-spot/2026-01-05/1234.main.00.tapes.gz",
    "tape/v2/binance-spot/2026-01-05/1234.main.00.tapes.gz.part",
    "tape/v2/binance-spot/2026-01-05/1234.main.tapes.gz",
    "tape/v2/binance-spot/2026-01-05/2534.main.00.tapes.gz",
    "tape/v2/2026-01-05/1234.main.00.tapes.gz",
  ])("is not read from %s", (text) => {
    expect(parseTapesKey(text)).toBeNull();
  });
});

describe("the name of a market's minute by itself", () => {
  it("is the one that trees of files are read by", () => {
    const key = "tape/v1/binance-spot/BTCUSDT/2026-01-05/1234.tape.gz";
    expect(tapeKey("binance-spot", "BTCUSDT", minuteMs)).toBe(key);
    expect(parseTapeKey(key)).toEqual({ venue: "binance-spot", symbol: "BTCUSDT", minuteMs });
  });

  it.each([
    "tape/v2/binance-spot/BTCUSDT/2026-01-05/1234.tape.gz",
    "tape/v1/binance-spot/BTCUSDT/2026-01-05/1234.tape.gz.part",
    "tape/v1/binance-spot/BTCUSDT/2026-01-05/2534.tape.gz",
    "tape/v1/binance-spot/2026-01-05/1234.tape.gz",
  ])("is not read from %s", (key) => {
    expect(parseTapeKey(key)).toBeNull();
  });
});
