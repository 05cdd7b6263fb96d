/**
 * Instruments from the venue's own answer: `GET /api/v1/instrument` (or `…/instrument/active`, as recorded).
 *
 * https://www.bitmex.com/api/explorer (read 2026-11-27). Sizes are contracts. The lot is the venue's `lotSize`: none of the 12,940 sizes
 * recorded in 2021 lies off it (100 for XBTUSD, 1 for most others); one that did would be rounded up to a whole lot (parseStepsUp).
 *
 * What a contract is worth, from the venue's multipliers:
 * - inverse: `multiplier / underlyingToSettleMultiplier` of the quote currency (XBTUSD: 1 USD);
 * - linear: `multiplier / quoteToSettleMultiplier` of the underlying (XBTUSDT: 0.000001 XBT);
 * - quanto: `multiplier` of the settlement currency for each 1 of price (ETHUSD: 100 XBt, which are satoshis).
 * Refuses an instrument of which these don't say it: without a contract its sizes would read as coins.
 */

import type { Contract } from "../../core/market/instrument.ts";
import { type DecimalGrid, parseGrid } from "../../core/units/decimal.ts";
import type { Listing } from "../contract.ts";
import { booleanField, FieldError, isObject, type JsonObject, parseJson, shown, textField } from "../decoding/json-fields.ts";
import { plainDecimal } from "../decoding/json-numbers.ts";
import { entriesOf, readListed } from "../decoding/listed-instruments.ts";

/** Columns of the answer that are read here. */
export const INSTRUMENT_COLUMNS = [
  "symbol",
  "tickSize",
  "lotSize",
  "multiplier",
  "isInverse",
  "isQuanto",
  "underlying",
  "quoteCurrency",
  "settlCurrency",
  "underlyingToSettleMultiplier",
  "quoteToSettleMultiplier",
] as const;

export function decodeInstruments(venue: string, body: string, symbols: readonly string[]): Listing | { malformed: string } {
  try {
    return readInstruments(venue, parseJson(body), symbols);
  } catch (error) {
    if (error instanceof FieldError) return { malformed: `instrument: ${error.message}` };
    throw error;
  }
}

function readInstruments(venue: string, root: unknown, symbols: readonly string[]): Listing {
  if (isObject(root) && isObject(root.error)) throw new FieldError(`the venue answered ${shown(root.error.message)}`);
  if (!Array.isArray(root)) throw new FieldError(root === undefined ? "not JSON" : `not an array: ${shown(root)}`);
  return readListed(entriesOf(root, "symbol", symbols), (symbol, entry) => {
    const tick = gridField(entry, "tickSize", symbol);
    const lot = gridField(entry, "lotSize", symbol);
    return { venue, symbol, tick, lot, contract: contractOf(entry, symbol) };
  });
}

function gridField(entry: JsonObject, key: string, symbol: string): DecimalGrid {
  const grid = parseGrid(plainDecimal(entry[key]) ?? "");
  if (grid === null) throw new FieldError(`${key} of ${symbol} is ${shown(entry[key])}, not a number above zero`);
  return grid;
}

function contractOf(entry: JsonObject, symbol: string): Contract {
  const ratio = (key: string) => {
    const size = exactRatio(entry.multiplier, entry[key]);
    if (size === null)
      throw new FieldError(`multiplier of ${symbol} is ${shown(entry.multiplier)}, ${key} ${shown(entry[key])}: no contract`);
    return size;
  };
  if (booleanField(entry, "isInverse")) {
    return { kind: "inverse", size: ratio("underlyingToSettleMultiplier"), unit: textField(entry, "quoteCurrency") };
  }
  if (booleanField(entry, "isQuanto")) {
    const size = exactRatio(entry.multiplier, 1);
    if (size === null) throw new FieldError(`multiplier of ${symbol} is ${shown(entry.multiplier)}: no contract`);
    return { kind: "quanto", size, unit: textField(entry, "settlCurrency") };
  }
  return { kind: "linear", size: ratio("quoteToSettleMultiplier"), unit: textField(entry, "underlying") };
}

/** Digits behind the point that a ratio may need: the venue's multipliers are powers of ten up to 10^10, and small counts. */
const MAX_RATIO_DECIMALS = 20;

/** `over / under` as a decimal; null when they are not two whole numbers of one sign, or have no such decimal. */
function exactRatio(over: unknown, under: unknown): string | null {
  if (typeof over !== "number" || typeof under !== "number" || !Number.isSafeInteger(over) || !Number.isSafeInteger(under)) return null;
  if (over === 0 || under === 0 || over > 0 !== under > 0) return null;
  const divisor = BigInt(Math.abs(under));
  const whole = BigInt(Math.abs(over)) / divisor;
  let rest = BigInt(Math.abs(over)) % divisor;
  let fraction = "";
  while (rest !== 0n && fraction.length < MAX_RATIO_DECIMALS) {
    rest *= 10n;
    fraction += String(rest / divisor);
    rest %= divisor;
  }
  if (rest !== 0n) return null;
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}
