import { describe, expect, it } from "vitest";
import {
  dayFileKey,
  dayWorkKey,
  dayWorkPrefix,
  parseDayFileKey,
  parseTapeKey,
  parseTapesKey,
  tapeKey,
  tapesDayPrefix,
  tapesKey,
  tapesMinutePrefix,
} from "../../core/wire/keys.ts";

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

describe("the key of a day file", () => {
  const key = "days/v1/bitmex/XBTUSD/2026-01-05.02.0123456789ab.day";

  it("names market, day, part and content; one that was read otherwise would be a file that nobody finds", () => {
    expect(dayFileKey({ venue: "bitmex", symbol: "XBTUSD", day: "2026-01-05", part: 2, head: "0123456789abcdef".repeat(4) })).toBe(key);
    expect(parseDayFileKey(key)).toEqual({ venue: "bitmex", symbol: "XBTUSD", day: "2026-01-05", part: 2, head: "0123456789ab" });
  });

  it.each(["days/v1/bitmex/XBTUSD/2026-01-05.day", "days/v2/bitmex/XBTUSD/2026-01-05.02.0123456789ab.day", `${key}.partial`])(
    "is not read from %s",
    (text) => expect(parseDayFileKey(text)).toBeNull(),
  );

  it("is made below a place of its own sources, whose steps sort by number", () => {
    const of = { venue: "bitmex", symbol: "XBTUSD" };
    const prefix = dayWorkPrefix(of, "2026-01-05", "ab12");
    expect(prefix.startsWith(dayWorkPrefix(of, "2026-01-05"))).toBe(true);
    const steps = [0, 9, 10, 99_999].map((step) => dayWorkKey(prefix, step));
    expect(steps.toSorted()).toEqual(steps);
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
