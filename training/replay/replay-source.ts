/**
 * Runs one market's records through the feed's own reducer: the code that the Durable Object runs, offline. Dataset and replay both
 * stand on this, so what a model is trained on is what the edge will compute.
 */

import type { FeatureRow } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { CommandError } from "../command-error.ts";
import type { MarketSource } from "../datasets/market-source.ts";
import type { Progress } from "../progress.ts";

export interface ReplayOptions {
  /** `row` is a view: copy what is to be kept. */
  readonly onRow?: (row: FeatureRow) => void;
  /** Awaited between blocks of records: the place to wait for a disk. */
  readonly onBlock?: () => Promise<void>;
  readonly progress: Progress;
}

export interface Replayed {
  readonly reducer: FeedReducer;
  readonly gaps: readonly GapRecord[];
  /** Lines that are no records. They never reach the reducer. */
  readonly malformedLines: number;
  readonly records: number;
}

/** Throws CommandError for a venue that isn't spoken here. */
export async function replaySource(source: MarketSource, options: ReplayOptions): Promise<Replayed> {
  const adapter = findAdapter(source.instrument.venue);
  if (adapter === null) throw new CommandError(`no adapter speaks the venue "${source.instrument.venue}": choose another with --venue`);
  const { onRow, onBlock, progress } = options;
  const reducer = new FeedReducer({
    adapter,
    instruments: [source.instrument],
    featureSet: featureSetV1,
    frames: "one-market",
    ...(onRow === undefined ? {} : { onRow: (_symbol: string, row: FeatureRow) => onRow(row) }),
  });
  const gaps = new Map<string, GapRecord>();
  const takeGaps = (): void => {
    for (const gap of reducer.takeGapChanges()) gaps.set(gap.id, gap);
  };
  let malformedLines = 0;
  let records = 0;
  progress.start(`${source.name} ${source.instrument.symbol}`, source.size);
  for await (const block of source.records((done) => progress.update(done))) {
    for (const record of block) {
      if ("malformed" in record) malformedLines++;
      else reducer.record(record);
      records++;
    }
    takeGaps();
    // Minute snapshots are for storage; offline nobody waits for them.
    reducer.takeClosedMinutes();
    await onBlock?.();
  }
  takeGaps();
  progress.stop();
  return { reducer, gaps: [...gaps.values()], malformedLines, records };
}
