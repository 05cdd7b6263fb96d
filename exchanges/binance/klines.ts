/**
 * Minute bars over REST: the request, and its 12 columns.
 *
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#klinecandlestick-data (read 2026-11-21):
 * open time, open, high, low, close, volume, close time, quote volume, trades, taker buy base, taker buy quote, ignore.
 */

import type { KlineEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import type { VenueHosts, VenueRequest } from "../contract.ts";
import { FieldError, integerOf, isObject, lotsOf, parseJson, shown, ticksOf } from "../decoding/json-fields.ts";

/** Bars in one answer, by the venue's document. */
export const MAX_KLINES = 1_000;
const COLUMNS = 12;

export interface KlineRange {
  /** Epoch ms of the first bar's opening, inclusive. */
  readonly from: number;
  /** Epoch ms, inclusive of a bar that opens then. */
  readonly to: number;
}

export function klinesRequest(hosts: VenueHosts, symbol: string, { from, to }: KlineRange): VenueRequest {
  const query = `symbol=${encodeURIComponent(symbol)}&interval=1m&startTime=${from}&endTime=${to}&limit=${MAX_KLINES}`;
  return { url: `${hosts.rest}/api/v3/klines?${query}`, weight: 2 };
}

/**
 * @param asOf epoch ms by the venue's clock when it answered: a bar that closes later is still open.
 * @returns bars in the order sent, or why the body can't be used. REST bars carry no event time: their close stands as venueTime.
 */
export function decodeKlines(
  instrument: Instrument,
  body: string,
  { asOf }: { readonly asOf: number },
): { klines: KlineEvent[] } | { malformed: string } {
  try {
    const rows = parseJson(body);
    if (isObject(rows) && "msg" in rows) throw new FieldError(`the venue answered ${shown(rows.code)}: ${shown(rows.msg)}`);
    if (!Array.isArray(rows)) throw new FieldError(rows === undefined ? "not JSON" : `not an array: ${shown(rows)}`);
    if (rows.length > MAX_KLINES) throw new FieldError(`${rows.length} bars, at most ${MAX_KLINES}`);
    return { klines: rows.map((row, index) => readRow(instrument, row, { name: `bar ${index}`, asOf })) };
  } catch (error) {
    if (error instanceof FieldError) return { malformed: `klines: ${error.message}` };
    throw error;
  }
}

function readRow(instrument: Instrument, row: unknown, { name, asOf }: { name: string; asOf: number }): KlineEvent {
  if (!Array.isArray(row) || row.length !== COLUMNS) throw new FieldError(`${name} is ${shown(row)}, not ${COLUMNS} columns`);
  const [openTime, open, high, low, close, volume, closeTime, , trades, takerBuy] = row as readonly unknown[];
  const closesAt = integerOf(closeTime, `close time of ${name}`);
  const bar: KlineEvent = {
    kind: "kline",
    symbol: instrument.symbol,
    venueTime: closesAt,
    openTime: integerOf(openTime, `open time of ${name}`),
    closeTime: closesAt,
    openTicks: ticksOf(open, `open of ${name}`, instrument.tick),
    highTicks: ticksOf(high, `high of ${name}`, instrument.tick),
    lowTicks: ticksOf(low, `low of ${name}`, instrument.tick),
    closeTicks: ticksOf(close, `close of ${name}`, instrument.tick),
    volumeLots: lotsOf(volume, `volume of ${name}`, instrument.lot),
    takerBuyLots: lotsOf(takerBuy, `taker buy volume of ${name}`, instrument.lot),
    trades: integerOf(trades, `trades of ${name}`),
    isClosed: closesAt < asOf,
  };
  if (bar.openTime >= bar.closeTime) throw new FieldError(`${name} opens at ${bar.openTime} and closes at ${bar.closeTime}`);
  if (bar.highTicks < Math.max(bar.openTicks, bar.closeTicks) || bar.lowTicks > Math.min(bar.openTicks, bar.closeTicks)) {
    throw new FieldError(`${name} has a high or a low inside its open and close`);
  }
  if (bar.takerBuyLots > bar.volumeLots) throw new FieldError(`${name} has more taker buying than volume`);
  return bar;
}
