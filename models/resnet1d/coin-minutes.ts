/**
 * One row a minute: nine numbers of each of twenty coins, coin by coin. The coins and numbers are those of crazyleg/binancepredict (its README counts eight
 * features; the code has nine, 20 x 9 = 180). Each number is the venue's own of that minute's candle, raw: the normaliser's statistics do the rest.
 */

import { defineLayout } from "../define-layout.ts";

const REVISION = 1;
const MINUTE_MS = 60_000;

export const COINS: readonly string[] = [
  "DOGEUSDT",
  "AVAXUSDT",
  "SOLUSDT",
  "SHIBUSDT",
  "EURUSDT",
  "GBPUSDT",
  "ETCETH",
  "ETCBTC",
  "MKRUSDT",
  "MKRBTC",
  "IOTAUSDT",
  "ADAUSDT",
  "XLMUSDT",
  "TRXUSDT",
  "XMRUSDT",
  "EOSUSDT",
  "DOGEGBP",
  "BTCEUR",
  "BTCGBP",
  "BTCUSDT",
];

/** Of a candle, as Binance's klines have them. */
export const CANDLE_FIELDS: readonly string[] = [
  "open",
  "high",
  "low",
  "close",
  "volume",
  "quote_volume",
  "trades",
  "taker_buy_base",
  "taker_buy_quote",
];

export const COIN_MINUTES = defineLayout("coin-minutes", REVISION, {
  columns: COINS.flatMap((coin) => CANDLE_FIELDS.map((field) => `${coin.toLowerCase()}_${field}`)),
  intervalMs: MINUTE_MS,
});
