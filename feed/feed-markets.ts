/** The markets of a feed, as its venue's adapter and its own options make them: one tracker for each instrument, all with the connection's decoder. */

import type { FeatureRow, FeatureSet } from "../core/features/contract.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { Decoder, ExchangeAdapter } from "../exchanges/contract.ts";
import { MarketTracker } from "./market-tracker.ts";
import type { PendingLimits } from "./pending-frames.ts";
import type { Room } from "./room.ts";

export interface FeedReducerOptions {
  readonly adapter: ExchangeAdapter;
  readonly instruments: readonly Instrument[];
  /** What `onRow` hears of, and a minute's row stores. */
  readonly featureSet: FeatureSet;
  /** Of the rows' grid (core/features/pipeline.ts): for datasets. Whole seconds unless told, as at the edge. */
  readonly phaseMs?: number;
  /** Others that are computed beside it, for whoever asks. */
  readonly furtherFeatureSets?: readonly FeatureSet[];
  /**
   * `one-market`: the frames are one market's alone, from its tape, so a hole in the connection's numbers is nothing; those that were seen
   * are on the tape. `whole`, the default: everything that the connection brought.
   */
  readonly frames?: "whole" | "one-market";
  /** Silences of a live book beyond it are in the ledger, and not covered; absent, only those that its own pace doesn't allow. */
  readonly silenceMs?: number;
  /** Levels a side of each minute's snapshot. */
  readonly snapshotLevels?: number;
  /** Shared with the other feeds of an object; absent, it has one of its own. */
  readonly pendingRoom?: Room;
  /** Called for each feature row of each market, with a buffer that is reused. */
  readonly onRow?: (symbol: string, row: FeatureRow) => void;
}

export function createMarkets(
  options: FeedReducerOptions,
  { decoder, limits }: { decoder: Decoder; limits: PendingLimits },
): Map<string, MarketTracker> {
  const { adapter, instruments, featureSet, furtherFeatureSets = [], onRow } = options;
  return new Map(
    instruments.map((instrument) => {
      const tracker = new MarketTracker({
        instrument,
        featureSets: [featureSet, ...furtherFeatureSets],
        createSequencer: () => adapter.createSequencer(),
        decoder,
        continuity: adapter.continuity,
        tradeIds: adapter.tradeIds,
        snapshotSource: adapter.snapshots.kind,
        snapshotLimits: adapter.snapshotLimits,
        staleAfterMs: adapter.staleAfterMs,
        pendingLimits: limits,
        ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
        ...(options.phaseMs === undefined ? {} : { phaseMs: options.phaseMs }),
        ...(onRow === undefined ? {} : { onRow: (row: FeatureRow) => onRow(instrument.symbol, row) }),
      });
      return [instrument.symbol, tracker];
    }),
  );
}
