/**
 * Binance USD-M futures: linear, sizes in the base asset, and the book's chain is `pu`. Requests and limits:
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info, streams:
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams (read 2026-11-27, as others quote them).
 *
 * In March 2026 the venue split its streams over paths, and on 2026-04-23 it took the bare path out of service
 * (…/websocket-market-streams/Important-WebSocket-Change-Notice): `/public` has depth, quotes and trades, `/market` the klines (and
 * aggTrade, mark prices), `/private` a user's own. A stream asked for on the wrong path is acknowledged and stays silent
 * (https://github.com/binance/binance-public-data/issues/472), and one connection has one path. So this line has no klines: its bars are made
 * of its trades.
 */

import { textField } from "../decoding/json-fields.ts";
import { createFuturesAdapter } from "./futures.ts";

export const binanceUsdM = createFuturesAdapter({
  venue: "binance-usd-m",
  hosts: { stream: "wss://fstream.binance.com", rest: "https://fapi.binance.com" },
  route: { path: "/public", channels: ["depth@100ms", "trade", "bookTicker"] },
  streamsPerConnection: 1_024,
  restPath: "/fapi/v1",
  contractOf: (symbol) => ({ kind: "linear", size: "1", unit: textField(symbol, "baseAsset") }),
});
