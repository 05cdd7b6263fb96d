/**
 * A residual network over 512 minutes of twenty coins at once: what each coin's price does in the next 15 minutes (crazyleg/binancepredict, cleaned as the
 * quantitative notes, 5.1, tell). No batch norm: neighbouring minutes of a batch overlap, and their statistics say nothing of the next.
 */

import { defineFamily } from "../define-family.ts";
import { COIN_MINUTES, COINS } from "./coin-minutes.ts";

export const COIN_HORIZON_MS = 900_000;

export const resnet1d = defineFamily({
  id: "resnet1d",
  inputs: { kind: "layout", layout: COIN_MINUTES },
  columns: COIN_MINUTES.columns.length,
  window: 512,
  answers: [
    { kind: "moves", columns: COINS.map((symbol) => ({ target: "mid", horizonMs: COIN_HORIZON_MS, market: `binance-spot:${symbol}` })) },
  ],
});
