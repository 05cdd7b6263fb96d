/**
 * Columns times the recent volatility: what a signal is worth in basis points grows with how far prices move at all, so that a line of the columns alone is too steep in calm hours and too flat
 * in wild ones. With these beside them its slopes are a + b·volatility each. On a perpetual's book they gave ridge what trees find (decision 0022).
 */

import type { Feature } from "../contract.ts";

const VOLATILITY = "realised_volatility_30s";
/** Of a jump, which is over when it is seen. */
const CAP_BPS = 5;

/**
 * @param features that stand before it in the set, in their order. @param names of their columns.
 * @throws when they have no such column, or no volatility.
 */
export function createTimesVolatility(features: readonly Feature[], names: readonly string[]): Feature {
  const before = features.flatMap(({ columns }) => columns);
  const placeOf = (name: string): number => {
    const place = before.findIndex((column) => column.name === name);
    if (place < 0) throw new Error(`no column ${name} stands before those times volatility`);
    return place;
  };
  const places = names.map(placeOf);
  const volatility = placeOf(VOLATILITY);
  return {
    columns: names.map((name, index) => ({
      name: `${name}_by_volatility`,
      unit: `${before[places[index] as number]?.unit} x bps`,
      formula: `${name}·min(${CAP_BPS}, ${VOLATILITY})`,
      source: "slopes that grow with volatility",
    })),
    warmupMs: Math.max(...features.map(({ warmupMs }) => warmupMs)),
    onBook() {},
    onTrade() {},
    write(_context, _time, out, offset) {
      const start = offset - before.length;
      const factor = Math.min(CAP_BPS, out[start + volatility] as number);
      for (let index = 0; index < places.length; index++) out[offset + index] = (out[start + (places[index] as number)] as number) * factor;
    },
    reset() {},
  };
}
