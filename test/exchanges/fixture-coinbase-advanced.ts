/** A small session of Advanced Trade, written by hand from its documents (exchanges/coinbase/advanced-parser.ts names them). */

import type { QuoteEvent, TradeEvent } from "../../core/market/event.ts";
import type { Instrument } from "../../core/market/instrument.ts";

const instrument: Instrument = {
  venue: "coinbase-advanced",
  symbol: "BTC-USD",
  tick: { decimals: 2, mantissa: 1 },
  lot: { decimals: 8, mantissa: 1 },
};
const trade: TradeEvent = {
  kind: "trade",
  symbol: "BTC-USD",
  venueTime: 1_700_000_000_349,
  tradeId: 1_000_273_158,
  priceTicks: 10_004,
  sizeLots: 50_000_000,
  takerSide: "buy",
};
const quote: QuoteEvent = {
  kind: "quote",
  symbol: "BTC-USD",
  venueTime: 1_700_000_000_367,
  sequence: null,
  bidTicks: 10_000,
  bidLots: 250_000_000,
  askTicks: 10_004,
  askLots: 700_000_000,
};

export const coinbaseAdvancedFixture = {
  instrument,
  instrumentsBody: JSON.stringify({
    products: [
      { product_id: "ETH-USD", price_increment: "0.01", quote_increment: "0.01", base_increment: "0.00000001", product_type: "SPOT" },
      { product_id: "BTC-USD", price_increment: "0.01", quote_increment: "0.01", base_increment: "0.00000001", product_type: "SPOT" },
    ],
    num_products: 2,
  }),
  /** Of the connection, before the book: trades of the past. */
  opening: [
    '{"channel":"subscriptions","timestamp":"2023-11-14T22:13:20.000000001Z","sequence_num":0,"events":[{"subscriptions":{"heartbeats":["heartbeats"]}}]}',
    '{"channel":"market_trades","timestamp":"2023-11-14T22:13:20.05Z","sequence_num":1,"events":[{"type":"snapshot","trades":[{"product_id":"BTC-USD","trade_id":"1000273157","price":"101","size":"0.1","time":"2023-11-14T22:13:10.000001Z","side":"BUY"}]}]}',
  ],
  snapshotFrames: [
    '{"channel":"l2_data","timestamp":"2023-11-14T22:13:20.100000001Z","sequence_num":2,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"100","new_quantity":"1"},{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"99.98","new_quantity":"3"},{"side":"offer","event_time":"1970-01-01T00:00:00Z","price_level":"100.02","new_quantity":"1.5"},{"side":"offer","event_time":"1970-01-01T00:00:00Z","price_level":"100.05","new_quantity":"0.00001"}]}]}',
  ],
  following: [
    '{"channel":"l2_data","timestamp":"2023-11-14T22:13:20.25012Z","sequence_num":3,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"offer","event_time":"2023-11-14T22:13:20.249Z","price_level":"100.02","new_quantity":"0"},{"side":"bid","event_time":"2023-11-14T22:13:20.249Z","price_level":"100","new_quantity":"2.5"}]}]}',
    '{"channel":"l2_data","client_id":"","timestamp":"2023-11-14T22:13:20.3Z","sequence_num":5,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2023-11-14T22:13:20.298Z","price_level":"99.98","new_quantity":"0"},{"side":"bid","event_time":"2023-11-14T22:13:20.298Z","price_level":"99.97","new_quantity":"0.12345"},{"side":"offer","event_time":"2023-11-14T22:13:20.298Z","price_level":"100.04","new_quantity":"7"}]}]}',
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
      '{"channel":"market_trades","client_id":"","timestamp":"2023-11-14T22:13:20.35962513Z","sequence_num":6,"events":[{"type":"update","trades":[{"product_id":"BTC-USD","trade_id":"1000273158","price":"100.04","size":"0.5","time":"2023-11-14T22:13:20.349501Z","side":"SELL"}]}]}',
    event: trade,
  },
  quote: {
    frame:
      '{"channel":"ticker","timestamp":"2023-11-14T22:13:20.367359596Z","sequence_num":7,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"100.04","volume_24_h":"16038.28770938","low_24_h":"98","high_24_h":"102","low_52_w":"15460","high_52_w":"48240","price_percent_chg_24_h":"-4.15775596190603","best_bid":"100","best_ask":"100.04","best_bid_quantity":"2.5","best_ask_quantity":"7"}]}]}',
    event: quote,
  },
  ignored: [
    '{"channel":"l2_data","timestamp":"2023-11-14T22:13:20.4Z","sequence_num":8,"events":[{"type":"update","product_id":"ETH-USD","updates":[]}]}',
    '{"channel":"candles","timestamp":"2023-11-14T22:13:20.4Z","sequence_num":9,"events":[{"type":"update","candles":[{"start":"1700000000","high":"101","low":"100","open":"100","close":"101","volume":"1","product_id":"BTC-USD"}]}]}',
    '{"channel":"status","timestamp":"2023-11-14T22:13:20.4Z","sequence_num":10,"events":[{"type":"snapshot","products":[]}]}',
    '{"channel":"ticker","timestamp":"2023-11-14T22:13:20.4Z","sequence_num":11,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"100.04","best_bid":"0","best_ask":"100.04"}]}]}',
  ],
  acknowledged: [
    '{"channel":"subscriptions","timestamp":"2023-11-14T22:13:20.000000001Z","sequence_num":12,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}',
  ],
  heartbeats: [
    '{"channel":"heartbeats","timestamp":"2023-11-14T22:13:21.260465255Z","sequence_num":13,"events":[{"current_time":"2023-11-14 22:13:21.25788961 +0000 UTC m=+139651.272674714","heartbeat_counter":139651}]}',
  ],
  refused: [
    '{"type":"error","message":"authentication failure"}',
    '{"type":"error","message":"too many L2 streams requested in a single session"}',
  ],
  /** The venue announces no closing. */
  closing: [],
} as const;
