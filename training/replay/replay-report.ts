/**
 * What a replay found, as plain data: the book's proof, its gaps, and the hashes by which two replays, or a replay and a running instance,
 * are compared.
 */

import type { FeatureRow } from "../../core/features/contract.ts";
import { marketId } from "../../core/market/instrument.ts";
import { formatSteps } from "../../core/units/decimal.ts";
import type { GapRecord } from "../../feed/contract.ts";
import type { MarketSource } from "../datasets/market-source.ts";
import type { Progress } from "../progress.ts";
import { replaySource } from "./replay-source.ts";

export interface ReplayReport {
  readonly market: string;
  readonly source: string;
  /** The price of a tick and the size of a lot, as decimals. */
  readonly tick: string;
  readonly lot: string;
  readonly records: number;
  readonly malformedLines: number;
  readonly frames: number;
  readonly malformedFrames: number;
  /** Up to ten, each with its reason. */
  readonly malformedSamples: readonly string[];
  readonly state: string;
  readonly lastSequence: number | null;
  readonly marketTime: number | null;
  readonly bidTicks: number | null;
  readonly askTicks: number | null;
  readonly bidLevels: number;
  readonly askLevels: number;
  readonly bookHash: string;
  /** Book against the venue's own quote, at equal sequence numbers. */
  readonly comparisons: number;
  readonly mismatches: number;
  /** Checkpoints on the tape that were not the replayed book. */
  readonly checkpointMismatches: number;
  readonly gaps: readonly GapRecord[];
  readonly featureSet: string;
  readonly fingerprint: string;
  readonly featureRows: number;
  readonly warmRows: number;
  readonly rowsHash: string;
}

/** @param keep is given each row as it is written: copy what is to be kept. */
export async function reportReplay(source: MarketSource, progress: Progress, keep?: (row: FeatureRow) => void): Promise<ReplayReport> {
  let warmRows = 0;
  const onRow = (row: FeatureRow): void => {
    if (row.isWarm) warmRows++;
    keep?.(row);
  };
  const { reducer, gaps, malformedLines, records } = await replaySource(source, { onRow, progress });
  const { instrument } = source;
  const market = reducer.markets.get(instrument.symbol);
  if (market === undefined) throw new Error(`the reducer lost ${instrument.symbol}`);
  const { book, pipeline, check } = market;
  return {
    market: marketId(instrument.venue, instrument.symbol),
    source: source.name,
    tick: formatSteps(1, instrument.tick),
    lot: formatSteps(1, instrument.lot),
    records,
    malformedLines,
    frames: reducer.frames,
    malformedFrames: reducer.malformedFrames,
    malformedSamples: [...reducer.malformedSamples],
    state: market.state,
    lastSequence: market.lastSequence,
    marketTime: pipeline.marketTime,
    bidTicks: book.bids.bestTicks,
    askTicks: book.asks.bestTicks,
    bidLevels: book.bids.levelCount,
    askLevels: book.asks.levelCount,
    bookHash: book.contentHash(),
    comparisons: check.comparisons,
    mismatches: check.mismatches,
    checkpointMismatches: market.checkpointMismatches,
    gaps,
    featureSet: pipeline.featureSet.id,
    fingerprint: pipeline.featureSet.fingerprint,
    featureRows: pipeline.rowCount,
    warmRows,
    rowsHash: pipeline.rowsHash,
  };
}

/** What `--check` refuses: whatever says that the book was not the venue's, or that something was lost. Empty when all is well. */
export function faultsOf(report: ReplayReport): string[] {
  const faults: string[] = [];
  if (report.state !== "live") faults.push(`the book ended ${report.state}, not live`);
  if (report.comparisons === 0) faults.push("the book was never compared with the venue's own quote");
  if (report.mismatches > 0) faults.push(`${report.mismatches} of ${report.comparisons} comparisons with the venue's quote differ`);
  if (report.checkpointMismatches > 0) faults.push(`${report.checkpointMismatches} checkpoints differ`);
  const unfinished = report.malformedFrames + report.malformedLines;
  if (unfinished > 0) faults.push(`${unfinished} malformed frames or lines`);
  for (const gap of report.gaps) faults.push(`gap: ${gap.reason}, ${gap.detail}`);
  return faults;
}
