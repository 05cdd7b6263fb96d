/** Who answers for a market: rows are gathered and models are run by this rule, and a market served by another one's model would be scored as its own. */

import { expect, it } from "vitest";
import type { ModelRole, ModelSlot } from "../../workers/inference/contract.ts";
import { rolesFor } from "../../workers/inference/roles-for.ts";

const BTC = "binance-spot:BTCUSDT";

function play(
  key: number,
  role: ModelRole,
  market = "*",
  slot: ModelSlot = "forecast",
): { key: number; role: ModelRole; market: string; slot: ModelSlot } {
  return { key, role, market, slot };
}

function keysFor(roles: readonly ReturnType<typeof play>[], market = BTC, slot: ModelSlot = "forecast"): [number | null, number[]] {
  const { active, shadows } = rolesFor(roles, slot, market);
  return [active?.key ?? null, shadows.map(({ key }) => key)];
}

it("a market's own active model comes before that of every market, which goes on answering for the others", () => {
  const roles = [play(1, "active"), play(2, "active", BTC)];
  expect(keysFor(roles)).toEqual([2, []]);
  expect(keysFor(roles, "bitmex:XBTUSD")).toEqual([1, []]);
});

it("a market's own shadows come first, then those of every market, each once, and never the model that is active there", () => {
  const roles = [
    play(1, "active"),
    play(3, "shadow"),
    play(4, "shadow"),
    play(4, "shadow", BTC),
    play(2, "active", BTC),
    play(2, "shadow"),
  ];
  expect(keysFor(roles)).toEqual([2, [4, 3]]);
  expect(keysFor(roles, "bitmex:XBTUSD")).toEqual([1, [3, 4, 2]]);
});

it("four shadows are asked at most: what nobody reads must not cost more than that", () => {
  const roles = [play(1, "active"), ...[2, 3, 4, 5].map((key) => play(key, "shadow")), play(6, "shadow", BTC)];
  expect(keysFor(roles)).toEqual([1, [6, 2, 3, 4]]);
});

it("slots don't mix, and where nobody plays there is nobody", () => {
  expect(keysFor([play(1, "active")], BTC, "signal")).toEqual([null, []]);
  expect(keysFor([play(1, "active"), play(2, "active", "*", "signal")], BTC, "signal")).toEqual([2, []]);
  expect(keysFor([])).toEqual([null, []]);
});
