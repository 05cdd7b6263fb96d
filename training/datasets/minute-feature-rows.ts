/**
 * Which feature row a minute gives, or why none. There are two ways, by the set:
 *
 * - One that looks at the book alone (volumes-10) is computed from the levels of the minute's end, by the one implementation. The row's time is the first grid time behind the
 *   book's clock: it knows at most a second less than the feed's own row of that time, and nothing of later.
 * - Of any other the row that the feed itself had computed last in the minute is taken, since its windows need the events between. That is of the feed's first set alone (v1 unless
 *   configured), its grid time is the feed's, and nothing is lost against a dataset of the tape but the other rows of the minute.
 *
 * Each row is a segment of its own: rows a minute apart are no window of seconds, and what reads windows finds none.
 */

import { OrderBook } from "../../core/book/order-book.ts";
import { LEVEL_COUNT } from "../../core/features/columns/volumes.ts";
import { FEATURE_INTERVAL_MS, type FeatureRow, type FeatureSet } from "../../core/features/contract.ts";
import { FeaturePipeline } from "../../core/features/pipeline.ts";
import { featureSetVolumes10 } from "../../core/features/registry.ts";
import { decodePricePath } from "../../core/wire/price-path.ts";
import type { MinuteRecord } from "./minute-records.ts";

/**
 * Why a minute has no row. `missing`: there is no record of it. `silent`: nothing was heard in it, or the clock stood still. `empty-side`, `crossed`: the book. `cold`: no row was computed.
 * `other-features`: one was, of another set. `shallow`: fewer levels are stored than the set looks at. `no-price`: the second of the row isn't in the minute's price path.
 */
export type NoRow =
  | "missing"
  | "disconnected"
  | "syncing"
  | "stale"
  | "silent"
  | "empty-side"
  | "crossed"
  | "cold"
  | "other-features"
  | "shallow"
  | "no-price";

type Place = Pick<FeatureRow, "featureTime" | "row" | "bidTicks" | "askTicks">;

/** Whether a set's rows are of the book at one moment, so that its levels are all that a row needs. */
export function looksAtBookAlone(featureSet: FeatureSet): boolean {
  return featureSet === featureSetVolumes10;
}

export class MinuteFeatureRows {
  private readonly featureSet: FeatureSet;
  private lastTime = Number.NEGATIVE_INFINITY;
  private segment = 0;

  constructor(featureSet: FeatureSet) {
    this.featureSet = featureSet;
  }

  /** Minutes of one market and grid, in their order. */
  take(record: MinuteRecord): FeatureRow | NoRow {
    if (record.state !== "live") return record.state;
    if (record.events === 0) return "silent";
    const place = looksAtBookAlone(this.featureSet) ? this.ofLevels(record) : this.stored(record);
    if (typeof place === "string") return place;
    if (place.featureTime <= this.lastTime) return "silent";
    this.lastTime = place.featureTime;
    return { ...place, isWarm: true, segment: this.segment++ };
  }

  private stored({ features, pricePath }: MinuteRecord): Place | NoRow {
    if (features === null) return "cold";
    const { featureTime, fingerprint, row } = features;
    if (fingerprint !== this.featureSet.fingerprint || row.length !== this.featureSet.columns.length) return "other-features";
    const path = pricePath === null ? [] : decodePricePath(pricePath);
    const prices = "malformed" in path ? undefined : path.findLast((each) => each.featureTime === featureTime);
    if (prices === undefined) return "no-price";
    return { featureTime, row: Float64Array.from(row), bidTicks: prices.bidTicks, askTicks: prices.askTicks };
  }

  private ofLevels({ bids, asks, marketTime }: MinuteRecord): Place | NoRow {
    const [bid, ask] = [bids?.[0], asks?.[0]];
    if (bids === null || asks === null || bid === undefined || ask === undefined) return "empty-side";
    if (bid.priceTicks > ask.priceTicks) return "crossed";
    if (bids.length < LEVEL_COUNT || asks.length < LEVEL_COUNT) return "shallow";
    if (marketTime === null) return "silent";
    const book = new OrderBook();
    for (const { priceTicks, sizeLots } of bids) book.bids.set(priceTicks, sizeLots);
    for (const { priceTicks, sizeLots } of asks) book.asks.set(priceTicks, sizeLots);
    return placeOf(this.featureSet, book, marketTime) ?? "silent";
  }
}

/** Of the first grid time behind the book's clock; null where that is no time. */
function placeOf(featureSet: FeatureSet, book: OrderBook, marketTime: number): Place | null {
  const pipeline = new FeaturePipeline(featureSet);
  pipeline.start(marketTime, book);
  pipeline.advance(marketTime + FEATURE_INTERVAL_MS);
  return pipeline.latest;
}
