/**
 * Instruments from `exchangeInfo`: the grids are the venue's own filters, PRICE_FILTER.tickSize and LOT_SIZE.stepSize.
 *
 * https://developers.binance.com/docs/binance-spot-api-docs/filters (read 2026-11-21); futures use the same two.
 * Refuses a symbol whose filters are absent or switched off (step 0): without a grid no price of it can be held.
 */

import type { Contract } from "../../core/market/instrument.ts";
import { type DecimalGrid, parseGrid } from "../../core/units/decimal.ts";
import type { Listing } from "../contract.ts";
import { arrayField, FieldError, isObject, type JsonObject, parseJson, shown, textField } from "../decoding/json-fields.ts";
import { entriesOf, readListed } from "../decoding/listed-instruments.ts";

export interface ExchangeInfoOptions {
  /** What a futures line's contract is worth; spot has none. */
  contractOf?(symbol: JsonObject): Contract;
}

export function decodeExchangeInfo(
  venue: string,
  body: string,
  symbols: readonly string[],
  options: ExchangeInfoOptions = {},
): Listing | { malformed: string } {
  try {
    return readInstruments(venue, parseJson(body), symbols, options);
  } catch (error) {
    if (error instanceof FieldError) return { malformed: `exchangeInfo: ${error.message}` };
    throw error;
  }
}

function readInstruments(venue: string, root: unknown, symbols: readonly string[], { contractOf }: ExchangeInfoOptions): Listing {
  if (!isObject(root)) throw new FieldError(root === undefined ? "not JSON" : `not an object: ${shown(root)}`);
  if ("msg" in root) throw new FieldError(`the venue answered ${shown(root.code)}: ${shown(root.msg)}`);
  return readListed(entriesOf(arrayField(root, "symbols"), "symbol", symbols), (symbol, entry) => {
    const tick = filterGrid(entry, symbol, { filter: "PRICE_FILTER", step: "tickSize" });
    const lot = filterGrid(entry, symbol, { filter: "LOT_SIZE", step: "stepSize" });
    return { venue, symbol, tick, lot, ...(contractOf === undefined ? {} : { contract: contractOf(entry) }) };
  });
}

function filterGrid(entry: JsonObject, symbol: string, { filter, step }: { filter: string; step: string }): DecimalGrid {
  const found = arrayField(entry, "filters").find((candidate) => isObject(candidate) && candidate.filterType === filter);
  if (!isObject(found)) throw new FieldError(`${symbol} has no ${filter}`);
  const grid = parseGrid(textField(found, step));
  if (grid === null) throw new FieldError(`${filter}.${step} of ${symbol} is ${shown(found[step])}, not a positive decimal`);
  return grid;
}
