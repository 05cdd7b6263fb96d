/** A small session of the Exchange feed, written by hand from its documents (exchanges/coinbase/exchange-parser.ts names them). */

import type { QuoteEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";

const instrument: Instrument = {
  venue: "coinbase-exchange",
  symbol: "BTC-USD",
  tick: { decimals: 2, mantissa: 1 },
  lot: { decimals: 8, mantissa: 1 },
};
const trade: TradeEvent = {
  kind: "trade",
  symbol: "BTC-USD",
  venueTime: 1_700_000_000_349,
  tradeId: 12_346,
  priceTicks: 10_004,
  sizeLots: 50_000_000,
  takerSide: "buy",
};
const quote: QuoteEvent = {
  kind: "quote",
  symbol: "BTC-USD",
  venueTime: 1_700_000_000_349,
  sequence: null,
  bidTicks: 10_000,
  bidLots: 250_000_000,
  askTicks: 10_004,
  askLots: 700_000_000,
};

export const coinbaseExchangeFixture = {
  instrument,
  instrumentsBody: JSON.stringify([
    { id: "ETH-USD", base_currency: "ETH", quote_currency: "USD", quote_increment: "0.01", base_increment: "0.00000001", status: "online" },
    { id: "BTC-USD", base_currency: "BTC", quote_currency: "USD", quote_increment: "0.01", base_increment: "0.00000001", status: "online" },
  ]),
  /** What a connection begins with, before its book: the ticker and the match of a trade of the past. */
  opening: [
    '{"type":"ticker","sequence":900,"product_id":"BTC-USD","price":"101.00","open_24h":"99.00","volume_24h":"12.5","low_24h":"98","high_24h":"102","volume_30d":"400.1","best_bid":"100.90","best_bid_size":"1.00000000","best_ask":"101.00","best_ask_size":"2.00000000","side":"buy","time":"2023-11-14T22:13:10.000001Z","trade_id":12345,"last_size":"0.1"}',
    '{"type":"last_match","trade_id":12345,"maker_order_id":"27fff20b-af29-4f45-8744-56dd1ef57dc0","taker_order_id":"1da6ce16-c8da-4732-9f71-6049f4c6aaf8","side":"sell","size":"0.1","price":"101.00","product_id":"BTC-USD","sequence":900,"time":"2023-11-14T22:13:10.000001Z"}',
  ],
  snapshotFrames: [
    '{"type":"snapshot","product_id":"BTC-USD","asks":[["100.02","1.50000000"],["100.05","0.00001000"]],"bids":[["100.00","1.00000000"],["99.98","3.00000000"]],"time":"2023-11-14T22:13:20.100000Z"}',
  ],
  following: [
    '{"type":"l2update","product_id":"BTC-USD","changes":[["buy","100.00","2.50000000"],["sell","100.02","0.00000000"]],"time":"2023-11-14T22:13:20.250123Z"}',
    '{"type":"l2update","product_id":"BTC-USD","changes":[["sell","100.04","7.00000000"],["buy","99.98","0.00000000"],["buy","99.97","0.12345000"]],"time":"2023-11-14T22:13:20.300999Z"}',
  ],
  bids: [
    [10_000, 250_000_000],
    [9_997, 12_345_000],
  ],
  asks: [
    [10_004, 700_000_000],
    [10_005, 1_000],
  ],
  trade: {
    // The maker sold, so the taker bought.
    frame:
      '{"type":"match","trade_id":12346,"maker_order_id":"ac928c66-ca53-498f-9c13-a110027a60e8","taker_order_id":"132fb6ae-456b-4654-b4e0-d681ac05cea1","side":"sell","size":"0.50000000","price":"100.04","product_id":"BTC-USD","sequence":950,"time":"2023-11-14T22:13:20.349500Z"}',
    event: trade,
  },
  quote: {
    /** Decoded after `opening`: the first ticker is of a trade before the subscription. */
    frame:
      '{"type":"ticker","sequence":950,"product_id":"BTC-USD","price":"100.04","open_24h":"99.00","volume_24h":"12.5","low_24h":"98","high_24h":"102","volume_30d":"400.1","best_bid":"100.00","best_bid_size":"2.50000000","best_ask":"100.04","best_ask_size":"7.00000000","side":"buy","time":"2023-11-14T22:13:20.349500Z","trade_id":12346,"last_size":"0.5"}',
    event: quote,
  },
  ignored: [
    '{"type":"l2update","product_id":"ETH-USD","changes":[["buy","1.00","1"]],"time":"2023-11-14T22:13:20.250123Z"}',
    '{"type":"status","products":[],"currencies":[]}',
    '{"type":"received","product_id":"BTC-USD","order_id":"d50ec984-77a8-460a-b958-66f114b0de9b","size":"1.34","price":"502.1","side":"buy","sequence":10,"time":"2023-11-14T22:13:20.250123Z"}',
  ],
  acknowledged: [
    '{"type":"subscriptions","channels":[{"name":"level2_batch","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD"]}]}',
  ],
  heartbeats: ['{"type":"heartbeat","sequence":950,"last_trade_id":12346,"product_id":"BTC-USD","time":"2023-11-14T22:13:21.000000Z"}'],
  refused: [
    '{"type":"error","message":"Failed to subscribe","reason":"BTC-XYZ is not a valid product"}',
    '{"type":"error","message":"error message"}',
  ],
  /** The venue announces no closing. */
  closing: [],
} as const;
