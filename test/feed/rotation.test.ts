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

it("audits as often as the feed says, and closes no numbered book's connection for it", () => {
  const ages = Object.fromEntries(adapters.map((adapter) => [adapter.venue, succeededAtAgeMs(adapter, 30 * MINUTE) / MINUTE]));
  expect(ages).toMatchObject({ bitmex: 30, "coinbase-exchange": 30, "binance-spot": 1_410 });
});
