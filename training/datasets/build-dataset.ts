/** Sources in, dataset folder out: each market of each source is one part. */

import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/moves.ts";
import { marketId } from "../../core/market/instrument.ts";
import type { GapRecord } from "../../feed/contract.ts";
import type { Progress } from "../progress.ts";
import { replaySource } from "../replay/replay-source.ts";
import type { DatasetCard } from "./card.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import type { FeedSource } from "./feed-source.ts";

export interface BuildOptions {
  readonly sources: readonly FeedSource[];
  readonly folder: string;
  /** v1 unless told. */
  readonly featureSet?: FeatureSet;
  /** Longer silences of a book are counted among its part's gaps. Rows and targets over them stay, as live. */
  readonly silenceMs?: number;
  readonly command: readonly string[];
  readonly progress: Progress;
}

/** Throws CommandError when no source gives a row. */
export async function buildDataset(options: BuildOptions): Promise<DatasetCard> {
  const { sources, folder, featureSet = featureSetV1, command, progress, silenceMs } = options;
  const writer = await DatasetWriter.create({ folder, featureSet, horizonsMs: DEFAULT_HORIZONS_MS, command });
  // One market at a time, however many a source has: a part is written to its end before the next is begun.
  const markets = sources.flatMap((source) =>
    source.instruments.map((instrument): FeedSource => ({ ...source, instruments: [instrument] })),
  );
  for (const source of markets) {
    const part = writer.openPart();
    const { reducer, gaps, malformedLines } = await replaySource(source, {
      onRow: (_symbol, row) => part.add(row),
      onBlock: () => part.drained(),
      progress,
      featureSet,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
    await writer.closePart(part, {
      source: source.name,
      market: source.instruments.map(({ venue, symbol }) => marketId(venue, symbol)).join(),
      frames: reducer.frames,
      malformedFrames: reducer.malformedFrames + malformedLines,
      gaps: countByReason(gaps),
    });
  }
  return writer.finish();
}

function countByReason(gaps: readonly GapRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const gap of gaps) counts[gap.reason] = (counts[gap.reason] ?? 0) + 1;
  return counts;
}
