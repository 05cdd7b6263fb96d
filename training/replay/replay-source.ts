/**
 * Runs a source's records through the feed's own reducer: the code that the Durable Object runs, offline. Dataset and replay both
 * stand on this, so what a model is trained on is what the edge will compute.
 */

import type { FeatureRow, FeatureSet } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { CommandError } from "../command-error.ts";
import type { Progress } from "../progress.ts";
import type { FeedSource } from "./feed-source.ts";

export interface ReplayOptions {
  /** `row` is a view: copy what is to be kept. */
  readonly onRow?: (symbol: string, row: FeatureRow) => void;
  /** Awaited between blocks of records: the place to wait for a disk. */
  readonly onBlock?: () => Promise<void>;
  /** Hears of the reducer before the first record. */
  readonly onStart?: (reducer: FeedReducer) => void;
  readonly progress: Progress;
  /** v1 unless told. */
  readonly featureSet?: FeatureSet;
  /** Of the rows' grid; whole seconds unless told. */
  readonly phaseMs?: number;
  /** Longer silences of a live book are noted among the gaps; where it isn't given, only what its own pace doesn't allow. */
  readonly silenceMs?: number;
}

export interface Replayed {
  readonly reducer: FeedReducer;
  readonly gaps: readonly GapRecord[];
  /** Lines that are no records. They never reach the reducer. */
  readonly malformedLines: number;
  readonly records: number;
  /** Frames of which nothing was kept, by why. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** Reasons told apart; those of further kinds are counted as one. */
const KEPT_REASONS = 50;
const FURTHER_REASONS = "of further kinds";

/** Throws CommandError for a venue that isn't spoken here. */
export async function replaySource(source: FeedSource, options: ReplayOptions): Promise<Replayed> {
  const adapter = findAdapter(source.venue);
  if (adapter === null) throw new CommandError(`no adapter speaks the venue "${source.venue}": choose another with --venue`);
  const { onRow, onBlock, onStart, progress, featureSet = featureSetV1, silenceMs, phaseMs } = options;
  const { instruments, frames } = source;
  const told = {
    ...(onRow === undefined ? {} : { onRow }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
    ...(phaseMs === undefined ? {} : { phaseMs }),
  };
  const reducer = new FeedReducer({ adapter, instruments, featureSet, frames, ...told });
  onStart?.(reducer);
  const gaps = new Map<string, GapRecord>();
  const takeGaps = (): void => {
    for (const gap of reducer.takeGapChanges()) gaps.set(gap.id, gap);
  };
  const ignored = new Map<string, number>();
  let malformedLines = 0;
  let records = 0;
  progress.start(`${source.name} ${instruments.map(({ symbol }) => symbol).join(" ")}`, source.size);
  for await (const block of source.records((done) => progress.update(done))) {
    for (const record of block) {
      records++;
      if ("malformed" in record) {
        malformedLines++;
        continue;
      }
      const outcome = reducer.record(record);
      if (outcome?.decoded === "ignored") count(ignored, outcome.detail ?? "");
    }
    takeGaps();
    // Minute snapshots are for storage; offline nobody waits for them.
    reducer.takeClosedMinutes();
    await onBlock?.();
  }
  takeGaps();
  progress.stop();
  return { reducer, gaps: [...gaps.values()], malformedLines, records, ignored };
}

function count(counts: Map<string, number>, reason: string): void {
  const name = counts.has(reason) || counts.size < KEPT_REASONS ? reason : FURTHER_REASONS;
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
