/**
 * `npm run bench -- features`: events a second through the pipeline with each feature set, on a made-up market, and v2's columns computed naively from a kept
 * log (features/naive-v2.ts) in the same rounds; and all sets that a feed computes by default, as it does, beside v1 alone. All of them apply the same changes to a book of their own; a row is due each second of the market.
 *
 * Before anything is timed, v2 and the naive one must give the same rows within 1e-9.
 */

import { OrderBook } from "../core/book/order-book.ts";
import type { FeatureSet } from "../core/features/contract.ts";
import { FeaturePipeline } from "../core/features/pipeline.ts";
import { featureSets, featureSetV1, featureSetV2 } from "../core/features/registry.ts";
import { ContentHash } from "../core/math/hash.ts";
import { featureSetsOf } from "../feed/configuration.ts";
import { MarketFeatures } from "../feed/market-features.ts";
import { type MadeUpMarket, makeUpMarket } from "./features/made-up-events.ts";
import { NaiveV2 } from "./features/naive-v2.ts";
import { type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

export interface FeaturesOptions {
  /** Of market. */
  readonly seconds: number;
  readonly seed: number;
  readonly rounds: number;
}

const TOLERANCE = 1e-9;
const AS_IN_FEED = "as in a feed";

interface Racer extends Contender {
  readonly columns: number;
  hash(): string;
  rowCount(): number;
}

export function benchFeatures({ seconds, seed, rounds }: FeaturesOptions): BenchResult[] {
  if (![seconds, rounds].every((count) => Number.isSafeInteger(count) && count > 0))
    throw new Error("--seconds and --rounds are whole numbers from 1");
  const market = makeUpMarket(seconds, seed);
  const largestDifference = differenceOf(market);
  const racers = [...featureSets.map((featureSet) => streamed(market, featureSet)), asInFeed(market), naive(market)];
  const times = timeRounds(racers, rounds);
  const naiveTimes = times.at(-1) as number[];
  const timesOfV1 = times[featureSets.indexOf(featureSetV1)] as number[];
  return racers.map((racer, at) => {
    const taken = median(times[at] as number[]);
    return {
      name: `features ${racer.name}`,
      sizes: { events: market.events.length, rows: racer.rowCount(), columns: racer.columns, marketSeconds: seconds, rounds },
      seconds: taken,
      eventsPerSecond: Math.round(market.events.length / taken),
      ...(racer.name === featureSetV2.id
        ? { peer: "naive", ratio: pairedRatio(times[at] as number[], naiveTimes), largestDifference }
        : {}),
      ...(racer.name === AS_IN_FEED ? { peer: featureSetV1.id, ratio: pairedRatio(times[at] as number[], timesOfV1) } : {}),
      hash: racer.hash(),
    };
  });
}

function streamed(market: MadeUpMarket, featureSet: FeatureSet): Racer {
  let book = new OrderBook();
  let pipeline = new FeaturePipeline(featureSet);
  return {
    name: featureSet.id,
    columns: featureSet.columns.length,
    prepare: () => {
      book = startBook(market);
      pipeline = new FeaturePipeline(featureSet);
    },
    work: () => runPipeline(market, book, pipeline),
    hash: () => pipeline.rowsHash,
    rowCount: () => pipeline.rowCount,
  };
}

/** On the market's clock, with the windows that are kept for whoever asks. */
function asInFeed(market: MadeUpMarket): Racer {
  const sets = featureSetsOf({ feed: "bench" });
  let book = new OrderBook();
  let features = new MarketFeatures(book, sets);
  return {
    name: AS_IN_FEED,
    columns: sets.reduce((sum, { columns }) => sum + columns.length, 0),
    prepare: () => {
      book = startBook(market);
      features = new MarketFeatures(book, sets);
    },
    work: () => {
      for (const event of market.events) {
        const clock = features.moveClock(event.venueTime, event.venueTime);
        if (event.kind === "trade") features.onTrade(event);
        else {
          book.apply(event.levels);
          features.onBook(event.venueTime, clock);
        }
      }
    },
    hash: () => {
      const hash = new ContentHash();
      for (const { pipeline } of features.sets) hash.text(pipeline.rowsHash);
      return hash.digest();
    },
    rowCount: () => features.pipeline.rowCount,
  };
}

function naive(market: MadeUpMarket): Racer {
  let book = new OrderBook();
  let rows: readonly Float64Array[] = [];
  return {
    name: "naive",
    columns: featureSetV2.columns.length,
    prepare: () => {
      book = startBook(market);
    },
    work: () => {
      rows = runNaive(market, book);
    },
    hash: () => {
      const hash = new ContentHash();
      for (const row of rows) for (const value of row) hash.float(value);
      return hash.digest();
    },
    rowCount: () => rows.length,
  };
}

function startBook(market: MadeUpMarket): OrderBook {
  const book = new OrderBook();
  book.apply(market.start);
  return book;
}

function runPipeline({ startTime, events }: MadeUpMarket, book: OrderBook, pipeline: FeaturePipeline): void {
  pipeline.start(startTime, book);
  for (const event of events) {
    pipeline.advance(event.venueTime);
    if (event.kind === "trade") pipeline.onTrade(event);
    else {
      book.apply(event.levels);
      pipeline.onBook(event.venueTime);
    }
  }
}

function runNaive({ startTime, events }: MadeUpMarket, book: OrderBook): readonly Float64Array[] {
  const features = new NaiveV2(featureSetV2.columns, book, startTime);
  for (const event of events) {
    features.advance(event.venueTime);
    if (event.kind === "trade") features.onTrade(event);
    else {
      book.apply(event.levels);
      features.onBook(event.venueTime);
    }
  }
  return features.rows;
}

/**
 * The largest difference of any column of any row, as a part of 1 + its value.
 * @throws where that is above the tolerance, or the rows are not the same ones.
 */
function differenceOf(market: MadeUpMarket): number {
  const expected = runNaive(market, startBook(market));
  let [row, largest] = [0, 0];
  const compare = (values: Float64Array): void => {
    const other = expected[row++] ?? [];
    for (const [at, value] of values.entries()) {
      const difference = Math.abs(value - (other[at] ?? Number.NaN)) / (1 + Math.abs(value));
      if (!(difference <= TOLERANCE)) throw new Error(`${featureSetV2.columns[at]} of row ${row} is ${value}, naively ${other[at]}`);
      largest = Math.max(largest, difference);
    }
  };
  runPipeline(market, startBook(market), new FeaturePipeline(featureSetV2, { onRow: (written) => compare(written.row) }));
  if (row !== expected.length || row === 0) throw new Error(`${row} rows streamed, ${expected.length} naively`);
  return largest;
}
