/** Losses prevented: a venue's forced close that nothing was ready for; a book that nothing numbers, and that nobody ever compares as a whole. */

import { expect, it } from "vitest";
import { adapters } from "../../exchanges/registry.ts";
import { succeededAtAgeMs } from "../../feed/rotation.ts";

const MINUTE = 60_000;

it("succeeds a connection half an hour before its venue closes it, and each ten minutes where nothing is numbered", () => {
  expect(Object.fromEntries(adapters.map((adapter) => [adapter.venue, succeededAtAgeMs(adapter) / MINUTE]))).toEqual({
    "binance-spot": 1_410,
    "binance-usd-m": 1_410,
    "binance-coin-m": 1_410,
    bitmex: 10,
    "coinbase-advanced": Number.POSITIVE_INFINITY,
    "coinbase-exchange": 10,
  });
});
