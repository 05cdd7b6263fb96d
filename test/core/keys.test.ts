import { describe, expect, it } from "vitest";
import { parseTapeKey, tapeKey } from "../../core/wire/keys.ts";

describe("a tape's key", () => {
  it("is the one that stored tapes lie under: built or read otherwise, they would all be lost to their readers", () => {
    const key = "tape/v1/binance-spot/BTCUSDT/2026-01-05/1234.tape.gz";
    const minuteMs = Date.UTC(2026, 0, 5, 12, 34);
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
