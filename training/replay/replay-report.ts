/**
 * What a replay found, as plain data: each book's proof, its gaps, what became of each quote, and the hashes by which two replays, or a replay and a
 * running instance, are compared.
 */

import type { FeatureRow } from "../../core/features/contract.ts";
import { formatSteps } from "../../core/units/decimal.ts";
import type { BookProof, GapRecord } from "../../feed/contract.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import type { UnmatchedQuote } from "../../feed/quote-check.ts";
import type { Progress } from "../progress.ts";
import type { FeedSource } from "./feed-source.ts";
import { replaySource } from "./replay-source.ts";

export interface ReplayReport {
  readonly source: string;
  readonly venue: string;
  readonly records: number;
  readonly malformedLines: number;
  readonly frames: number;
  readonly malformedFrames: number;
  /** Up to ten, each with its reason. */
  readonly malformedSamples: readonly string[];
  /** Frames of which nothing was kept, with why. */
  readonly ignored: readonly { readonly reason: string; readonly frames: number }[];
  readonly featureSet: string;
  readonly markets: readonly MarketReport[];
}

export interface MarketReport {
  readonly market: string;
  /** The price of a tick and the size of a lot, as decimals. */
  readonly tick: string;
  readonly lot: string;
  readonly state: string;
  readonly lastSequence: number | null;
  readonly marketTime: number | null;
  readonly bidTicks: number | null;
  readonly askTicks: number | null;
  readonly bidLevels: number;
  readonly askLevels: number;
  readonly bookHash: string;
  readonly quotes: QuoteCounts;
  /** Book against the venue's own quote: at equal sequence numbers, or, where quotes carry none, within the race of the two channels. */
  readonly comparisons: number;
  readonly mismatches: number;
  /** The book's best levels against those that the venue itself lists; null where it lists none. */
  readonly topLevels: BookProof["topLevels"];
  /** Quotes that the book's top didn't equal, the first of them, each with what was made of it. */
  readonly unmatched: readonly UnmatchedQuote[];
  /** Checkpoints on the tape that were not the replayed book. */
  readonly checkpointMismatches: number;
  readonly malformedFrames: number;
  readonly trades: number;
  readonly gaps: readonly GapRecord[];
  /** Of the feature set. */
  readonly fingerprint: string;
  readonly featureRows: number;
  readonly warmRows: number;
  readonly rowsHash: string;
}

/** Where all of a market's quotes went. With comparisons they add up to `all`. */
export interface QuoteCounts {
  readonly all: number;
  /** Before there was a book, or while it was being built: compared with nothing. */
  readonly withoutBook: number;
  /** Of moments that the book never showed: inside one message or batch of its changes, which a later quote that agreed has shown. */
  readonly passedOver: number;
  /** Neither equalled nor given up when the recording ended, or when the book was replaced. */
  readonly undecided: number;
  /** Of numbers that the book never stood at: inside one of its messages, before its snapshot, or after its last. */
  readonly betweenNumbers: number;
}

/** Unmatched quotes that a report shows of each market. */
const SHOWN_UNMATCHED = 200;

/** @param keep is given each row as it is written: copy what is to be kept. */
export async function reportReplay(
  source: FeedSource,
  progress: Progress,
  keep?: (symbol: string, row: FeatureRow) => void,
): Promise<ReplayReport> {
  const warmRows = new Map<string, number>();
  const unmatched = new Map<string, UnmatchedQuote[]>();
  const { reducer, gaps, malformedLines, records, ignored } = await replaySource(source, {
    progress,
    onRow(symbol, row) {
      if (row.isWarm) warmRows.set(symbol, (warmRows.get(symbol) ?? 0) + 1);
      keep?.(symbol, row);
    },
    onStart({ markets }) {
      for (const [symbol, market] of markets) {
        const found: UnmatchedQuote[] = [];
        unmatched.set(symbol, found);
        market.check.listener = (quote) => {
          if (found.length < SHOWN_UNMATCHED) found.push(quote);
        };
      }
    },
  });
  const [first] = reducer.markets.values();
  if (first === undefined) throw new Error(`the reducer holds no market of ${source.name}`);
  return {
    source: source.name,
    venue: source.venue,
    records,
    malformedLines,
    frames: reducer.frames,
    malformedFrames: reducer.malformedFrames,
    malformedSamples: [...reducer.malformedSamples],
    ignored: [...ignored].map(([reason, frames]) => ({ reason, frames })),
    featureSet: first.pipeline.featureSet.id,
    markets: [...reducer.markets].map(([symbol, market]) =>
      marketReport(market, {
        gaps: gaps.filter((gap) => gap.market === market.market),
        warmRows: warmRows.get(symbol) ?? 0,
        unmatched: unmatched.get(symbol) ?? [],
      }),
    ),
  };
}

/** What `--check` refuses: whatever says that a book was not the venue's, or that something was lost. Empty when all is well. */
export function faultsOf({ markets, malformedFrames, malformedLines }: ReplayReport): string[] {
  const faults = markets.flatMap((market) => faultsOfMarket(market).map((fault) => `${market.market}: ${fault}`));
  // A pair so thin that no quote came of it proves nothing and is wrong in nothing; a recording without any comparison proves nothing at all.
  if (markets.every(({ comparisons }) => comparisons === 0)) faults.push("no book was ever compared with the venue's own quote");
  const unfinished = malformedFrames + malformedLines;
  if (unfinished > 0) faults.push(`${unfinished} malformed frames or lines`);
  return faults;
}

/** Quotes with a book of which none could be compared: so many don't all fall between the book's messages. Recorded: at most 4 in a row. */
const QUOTES_THAT_COMPARE = 50;

function faultsOfMarket(market: MarketReport): string[] {
  const faults: string[] = [];
  const { state, comparisons, mismatches, topLevels, checkpointMismatches, quotes, gaps } = market;
  if (state !== "live") faults.push(`the book ended ${state}, not live`);
  const withBook = quotes.all - quotes.withoutBook;
  if (comparisons === 0 && withBook >= QUOTES_THAT_COMPARE) faults.push(`${withBook} quotes came and the book equalled none of them`);
  if (mismatches > 0) faults.push(`${mismatches} of ${comparisons} comparisons with the venue's quote differ`);
  if (topLevels !== null && topLevels.mismatches > 0)
    faults.push(`${topLevels.mismatches} of ${topLevels.comparisons} comparisons with the venue's best levels differ`);
  if (checkpointMismatches > 0) faults.push(`${checkpointMismatches} checkpoints differ`);
  for (const gap of gaps) faults.push(`gap in ${gap.channel}: ${gap.reason}, ${gap.detail}`);
  return faults;
}

interface Gathered {
  readonly gaps: readonly GapRecord[];
  readonly warmRows: number;
  readonly unmatched: readonly UnmatchedQuote[];
}

function marketReport(tracker: MarketTracker, { gaps, warmRows, unmatched }: Gathered): MarketReport {
  const { book, pipeline, check, instrument } = tracker;
  return {
    market: tracker.market,
    tick: formatSteps(1, instrument.tick),
    lot: formatSteps(1, instrument.lot),
    state: tracker.state,
    lastSequence: tracker.lastSequence,
    marketTime: pipeline.marketTime,
    bidTicks: book.bids.bestTicks,
    askTicks: book.asks.bestTicks,
    bidLevels: book.bids.levelCount,
    askLevels: book.asks.levelCount,
    bookHash: book.contentHash(),
    quotes: quoteCounts(tracker),
    comparisons: check.comparisons,
    mismatches: check.mismatches,
    topLevels: check.topLevels,
    unmatched,
    checkpointMismatches: tracker.checkpointMismatches,
    malformedFrames: tracker.malformedFrames,
    trades: tracker.trades.messages,
    gaps,
    fingerprint: pipeline.featureSet.fingerprint,
    featureRows: pipeline.rowCount,
    warmRows,
    rowsHash: pipeline.rowsHash,
  };
}

function quoteCounts({ check, quotes }: MarketTracker): QuoteCounts {
  const uncompared = check.quotes - check.comparisons - check.passedOver;
  return {
    all: quotes.messages,
    withoutBook: Math.max(0, quotes.messages - check.quotes),
    passedOver: check.passedOver,
    undecided: check.isNumbered ? 0 : uncompared,
    betweenNumbers: check.isNumbered ? uncompared : 0,
  };
}
