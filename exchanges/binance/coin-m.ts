/**
 * Binance COIN-M futures: sizes are contracts of a fixed amount of USD, and the book's chain is `pu`. Streams, requests and limits:
 * https://developers.binance.com/docs/derivatives/coin-margined-futures/general-info (read 2026-11-21).
 */

import { textField } from "../decoding/json-fields.ts";
import { decimalField } from "../decoding/json-numbers.ts";
import { createFuturesAdapter } from "./futures.ts";
import { ALL_STREAMS } from "./streams.ts";

export const binanceCoinM = createFuturesAdapter({
  venue: "binance-coin-m",
  hosts: { stream: "wss://dstream.binance.com", rest: "https://dapi.binance.com" },
  route: ALL_STREAMS,
  streamsPerConnection: 200,
  restPath: "/dapi/v1",
  contractOf: (symbol) => ({ kind: "inverse", size: decimalField(symbol, "contractSize"), unit: textField(symbol, "quoteAsset") }),
});
