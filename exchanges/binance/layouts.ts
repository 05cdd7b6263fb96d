/**
 * The layouts that make up nearly all of Binance's traffic, as patterns of whole frames: what the scanner (frame-scanner.ts) reads without a parser.
 * Of a depth message it is the frame's beginning: its levels are read one by one.
 *
 * Recorded frames of 2021 and 2024, and https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21).
 */

import { DECIMAL, INTEGER, layout, NAME } from "../decoding/layout-patterns.ts";
import type { BinanceProduct } from "./markets.ts";

export interface FrameLayouts {
  /** Up to the bids' opening bracket. */
  readonly depthHead: RegExp;
  readonly quote: RegExp;
  readonly trade: RegExp;
}

const STREAM = `\\{"stream":"${NAME}@`;
/** Of epoch ms from 2001 to 2286: since all have as many, a time that is not used is stepped over. */
export const TIME_DIGITS = 13;
const TIME = `[1-9]${"\\d".repeat(TIME_DIGITS - 1)}`;
const DEPTH = `${STREAM}depth(?:@\\d+ms)?","data":\\{"e":"depthUpdate","E":${TIME}`;
const TRADE = `${STREAM}trade","data":\\{"e":"trade","E":${TIME}`;
const QUOTE = `${STREAM}bookTicker","data":\\{`;

const SYMBOL = `"s":"${NAME}"`;
/** Futures may name the pair behind the symbol. */
const PAIR = '(?:,"ps":"[A-Z0-9]*")?';
const SEQUENCES = `,"U":${INTEGER},"u":${INTEGER}`;
const PRICES = `,"b":"${DECIMAL}","B":"${DECIMAL}","a":"${DECIMAL}","A":"${DECIMAL}"`;
const TRADED = `,"t":${INTEGER},"p":"${DECIMAL}","q":"${DECIMAL}"`;
const FLAG = "(?:true|false)";
const BIDS = ',"b":\\[';
/** USD-M has put `"st":0` behind its fields since 2026; it is not used. */
const FUTURES_TAIL = `(?:,"st":${INTEGER})?\\}\\}$`;

const SPOT: FrameLayouts = {
  depthHead: layout(`${DEPTH},${SYMBOL}${SEQUENCES}${BIDS}`),
  quote: layout(`${QUOTE}"u":${INTEGER},${SYMBOL}${PRICES}\\}\\}$`),
  // An obsolete `M` repeats behind `m`.
  trade: layout(`${TRADE},${SYMBOL}${TRADED},"T":${TIME},"m":${FLAG},"M":${FLAG}\\}\\}$`),
};

/** USD-M names a quote's event before the number, COIN-M behind it. */
const NUMBERED = `(?:"e":"bookTicker","u":${INTEGER}|"u":${INTEGER},"e":"bookTicker")`;
const FUTURES: FrameLayouts = {
  depthHead: layout(`${DEPTH},"T":${TIME},${SYMBOL}${PAIR}${SEQUENCES},"pu":${INTEGER}${BIDS}`),
  quote: layout(`${QUOTE}${NUMBERED},${SYMBOL}${PAIR}${PRICES},"T":${TIME},"E":${TIME}${FUTURES_TAIL}`),
  trade: layout(`${TRADE},"T":${TIME},${SYMBOL}${TRADED},"X":"MARKET","m":${FLAG}${FUTURES_TAIL}`),
};

export function layoutsOf(product: BinanceProduct): FrameLayouts {
  return product === "futures" ? FUTURES : SPOT;
}
