/**
 * BitMEX's rows as text, in the venue's order of keys and with its numbers: prices are JSON numbers (0.00001814, 1e-8), sizes whole contracts.
 *
 * www.bitmex.com/app/wsAPI and the API explorer (read 2026-11-27), a recording of 2021, and two announcements on blog.bitmex.com: timestamps on
 * orderBookL2 (2022-02-14), arbitrary ids and a price on every row (2023-07-10). The form "2021" is the one before both.
 */

import { ContentHash } from "../../../core/math/hash.ts";
import { formatSteps, gridStep } from "../../../core/units/decimal.ts";
import type { Side } from "../../../core/units/side.ts";
import type { EventLevel } from "../../../core/wire/market-events.ts";
import type { AppliedTrade } from "../../market/canonical-market.ts";
import { isoMillis } from "../../times.ts";
import type { Listing } from "../../venue.ts";

export type BookAction = "insert" | "update" | "delete";

export interface BookRow {
  readonly id: number;
  readonly side: Side;
  readonly level: EventLevel;
}

/** The tick's direction of a trade beside the one before: zero when the price stayed, after the last move's sign. */
export type TickDirection = "PlusTick" | "ZeroPlusTick" | "MinusTick" | "ZeroMinusTick";

const LISTED = "2016-05-13T12:00:00.000Z";
/** Each 8 hours: what the venue shows where longs and shorts are even. */
const FUNDING_RATE = 0.0001;
const FUNDINGS_PER_YEAR = 3 * 365;
/** That a mark has more than a price. */
const MARK_DECIMALS = 2;
const XBT_SATOSHI = 100_000_000;
/** USDT is settled in millionths. */
const USDT_UNITS = 1_000_000;

export class BitmexRows {
  readonly symbol: string;
  /** One contract is one unit of quote currency: XBTUSD and its like. */
  readonly isInverse: boolean;
  private readonly listing: Listing;
  private readonly isOldForm: boolean;
  private readonly contract: number;

  constructor(listing: Listing, isOldForm: boolean) {
    this.listing = listing;
    this.symbol = listing.symbol;
    this.isOldForm = isOldForm;
    this.contract = gridStep(listing.market.lot);
    this.isInverse = this.contract === 1 && /USD$/.test(listing.symbol);
  }

  price(ticks: number): string {
    return String(Number(formatSteps(ticks, this.listing.market.tick)));
  }

  /** @param time by the venue's clock. */
  book(action: BookAction | "partial", { id, side, level }: BookRow, time: number): string {
    const size = action === "delete" ? "" : `,"size":${level[1]}`;
    const hasPrice = !this.isOldForm || action === "insert" || action === "partial";
    const price = hasPrice ? `,"price":${this.price(level[0])}` : "";
    const stamp = isoMillis(time);
    const times = this.isOldForm ? "" : `,"timestamp":"${stamp}","transactTime":"${stamp}"`;
    return `{"symbol":"${this.symbol}","id":${id},"side":"${side === "bid" ? "Buy" : "Sell"}"${size}${price}${times}}`;
  }

  book10(bids: readonly EventLevel[], asks: readonly EventLevel[], time: number): string {
    const side = (levels: readonly EventLevel[]) => levels.map(([ticks, lots]) => `[${this.price(ticks)},${lots}]`).join(",");
    return `{"symbol":"${this.symbol}","asks":[${side(asks)}],"timestamp":"${isoMillis(time)}","bids":[${side(bids)}]}`;
  }

  quote(bid: EventLevel | null, ask: EventLevel | null, time: number): string {
    const sizeOf = (level: EventLevel | null) => (level === null ? "null" : String(level[1]));
    const priceOf = (level: EventLevel | null) => (level === null ? "null" : this.price(level[0]));
    return (
      `{"timestamp":"${isoMillis(time)}","symbol":"${this.symbol}","bidSize":${sizeOf(bid)},"bidPrice":${priceOf(bid)},` +
      `"askPrice":${priceOf(ask)},"askSize":${sizeOf(ask)}}`
    );
  }

  /** The side is the taker's. */
  trade(trade: AppliedTrade, direction: TickDirection, time: number): string {
    const price = Number(this.price(trade.priceTicks));
    const size = trade.sizeLots;
    const home = this.isInverse ? size / price : size * this.contract;
    const foreign = this.isInverse ? size : home * price;
    const gross = this.isInverse ? size * Math.round(XBT_SATOSHI / price) : Math.round(foreign * USDT_UNITS);
    const type = this.isOldForm ? "" : ',"trdType":"Regular"';
    return (
      `{"timestamp":"${isoMillis(time)}","symbol":"${this.symbol}","side":"${trade.takerSide === "buy" ? "Buy" : "Sell"}","size":${size},` +
      `"price":${this.price(trade.priceTicks)},"tickDirection":"${direction}","trdMatchID":"${this.matchId(trade.tradeId)}",` +
      `"grossValue":${gross},"homeNotional":${home},"foreignNotional":${foreign}${type}}`
    );
  }

  /** The whole row of the instrument table, as a partial and as REST give it. */
  instrument(time: number): Readonly<Record<string, unknown>> {
    const { symbol, isInverse, contract } = this;
    const quote = symbol.endsWith("USDT") ? "USDT" : "USD";
    const root = symbol.replace(/(USDT?|[FGHJKMNQUVXZ]\d\d)$/, "");
    return {
      symbol,
      rootSymbol: root,
      state: "Open",
      typ: isInverse ? "FFWCSX" : "FFWCSF",
      listing: LISTED,
      front: LISTED,
      expiry: null,
      settle: null,
      listedSettle: null,
      positionCurrency: isInverse ? "USD" : root,
      underlying: root,
      quoteCurrency: quote,
      underlyingSymbol: `${root}=`,
      reference: "BMEX",
      referenceSymbol: `.B${root}`,
      calcInterval: null,
      publishInterval: null,
      publishTime: null,
      maxOrderQty: 10_000_000,
      maxPrice: 1_000_000,
      lotSize: 1,
      tickSize: Number(this.price(1)),
      multiplier: isInverse ? -XBT_SATOSHI : Math.round(contract * USDT_UNITS),
      settlCurrency: isInverse ? "XBt" : "USDt",
      underlyingToPositionMultiplier: isInverse ? null : 1 / contract,
      underlyingToSettleMultiplier: isInverse ? -XBT_SATOSHI : null,
      quoteToSettleMultiplier: isInverse ? null : USDT_UNITS,
      isQuanto: false,
      isInverse,
      initMargin: 0.01,
      maintMargin: 0.005,
      riskLimit: 20_000_000_000,
      riskStep: 10_000_000_000,
      limit: null,
      taxed: true,
      deleverage: true,
      makerFee: -0.0001,
      takerFee: 0.0005,
      settlementFee: 0,
      fundingBaseSymbol: `.${root}BON8H`,
      fundingQuoteSymbol: `.${quote}BON8H`,
      fundingPremiumSymbol: `.${symbol}PI8H`,
      fundingInterval: "2000-01-01T08:00:00.000Z",
      fundingRate: FUNDING_RATE,
      indicativeFundingRate: FUNDING_RATE,
      rebalanceTimestamp: null,
      rebalanceInterval: null,
      limitDownPrice: null,
      limitUpPrice: null,
      hasLiquidity: true,
      fairMethod: "FundingRate",
      fairBasisRate: FUNDING_RATE * FUNDINGS_PER_YEAR,
      markMethod: "FairPrice",
      settledPrice: null,
      ...this.instrumentPrices(),
      timestamp: isoMillis(time),
    };
  }

  /** What of the instrument moves with the market. The index that the mark follows is made up: the mid. */
  instrumentPrices(): Readonly<Record<string, unknown>> {
    const { best, trade } = this.listing.market;
    const [bid, ask] = [this.priceOf(best.bid?.[0] ?? null), this.priceOf(best.ask?.[0] ?? null)];
    const mid = bid === null || ask === null ? null : (bid + ask) / 2;
    const last = this.priceOf(trade?.priceTicks ?? null);
    const rounded = (price: number) => Number(price.toFixed(this.listing.market.tick.decimals + MARK_DECIMALS));
    const basis = mid === null ? null : rounded(mid * FUNDING_RATE);
    const fair = mid === null || basis === null ? null : rounded(mid + basis);
    return {
      lastPrice: last,
      lastPriceProtected: last,
      bidPrice: bid,
      midPrice: mid,
      askPrice: ask,
      impactBidPrice: bid,
      impactMidPrice: mid,
      impactAskPrice: ask,
      fairBasis: basis,
      fairPrice: fair,
      markPrice: fair,
      indicativeSettlePrice: mid,
    };
  }

  private priceOf(ticks: number | null): number | null {
    return ticks === null ? null : Number(this.price(ticks));
  }

  /** A guid that the trade's number gives, the same in each run. */
  private matchId(tradeId: number): string {
    const a = new ContentHash().text(this.symbol).integer(tradeId).digest();
    const number = tradeId.toString(16).padStart(12, "0").slice(-12);
    return `${a.slice(0, 8)}-${a.slice(8, 12)}-4${a.slice(13, 16)}-8${a.slice(5, 8)}-${number}`;
  }
}
