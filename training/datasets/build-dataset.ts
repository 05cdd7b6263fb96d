/** Sources in, dataset folder out: each market of each source is one part, in each phase of the second that is asked for. */

import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/horizons.ts";
import { DEFAULT_LABEL_KIND, type LabelKind } from "../../core/labels/moves.ts";
import { marketId } from "../../core/market/instrument.ts";
import { MS_PER_SECOND } from "../../core/units/time.ts";
import type { GapRecord } from "../../feed/contract.ts";
import type { Progress } from "../progress.ts";
import type { FeedSource } from "../replay/feed-source.ts";
import { replaySource } from "../replay/replay-source.ts";
import type { DatasetCard, DatasetFit } from "./card.ts";
import { DatasetWriter } from "./dataset-writer.ts";
import { type ImportedSource, runImported, sourceNameOf } from "./imported-source.ts";
import { phasesOf } from "./phases.ts";
import type { TargetRule } from "./unbroken-feed.ts";

export interface BuildOptions {
  readonly sources: readonly (FeedSource | ImportedSource)[];
  readonly folder: string;
  /** v1 unless told. */
  readonly featureSet?: FeatureSet;
  /** What its columns took from data (feature-fit.ts); absent: nothing. */
  readonly fit?: DatasetFit;
  /** Ascending (horizons.ts); DEFAULT_HORIZONS_MS unless told. */
  readonly horizonsMs?: readonly number[];
  /** Point unless told. */
  readonly label?: LabelKind;
  /** Longer silences of a book are counted among its part's gaps. Of what a venue sent, rows and targets over them stay, as live. */
  readonly silenceMs?: number;
  /** Which rows of imported events have targets; DEFAULT_TARGET_RULE where it doesn't say. */
  readonly rule?: Partial<TargetRule>;
  /** Into how many parts each second is cut (phases.ts), a pass over the sources each; one unless told. */
  readonly phases?: number;
  readonly command: readonly string[];
  readonly progress: Progress;
}

/** After 5 s the windows of 1 and 5 s, in which flows tell most, are whole again; longer ones still look over the gap, as at the edge. */
export const DEFAULT_TARGET_RULE: TargetRule = { unbrokenMs: 5 * MS_PER_SECOND, overGapsFromMs: null };

/** Throws CommandError when no source gives a row. What was written by then is taken away, whatever is thrown. */
export async function buildDataset(options: BuildOptions): Promise<DatasetCard> {
  const {
    sources,
    folder,
    featureSet = featureSetV1,
    command,
    horizonsMs = DEFAULT_HORIZONS_MS,
    label = DEFAULT_LABEL_KIND,
    fit,
  } = options;
  const writer = await DatasetWriter.create({ folder, featureSet, horizonsMs, label, command, ...(fit === undefined ? {} : { fit }) });
  try {
    // Whole seconds of all sources first: phases.ts.
    for (const phaseMs of phasesOf(options.phases ?? 1)) {
      for (const source of sources) {
        if ("kind" in source) await addImported(writer, source, { ...options, phaseMs });
        else await addFeed(writer, source, { ...options, phaseMs });
      }
    }
    return await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

interface PhaseOptions extends BuildOptions {
  readonly phaseMs: number;
}

function phaseFact(phaseMs: number): { phaseMs?: number } {
  return phaseMs === 0 ? {} : { phaseMs };
}

/** One market at a time, however many a source has: a part is written to its end before the next is begun. */
async function addFeed(writer: DatasetWriter, source: FeedSource, options: PhaseOptions): Promise<void> {
  const { featureSet = featureSetV1, progress, silenceMs, phaseMs } = options;
  for (const instrument of source.instruments) {
    const part = writer.openPart();
    const { reducer, gaps, malformedLines } = await replaySource(
      { ...source, instruments: [instrument] },
      {
        onRow: (_symbol, row) => part.add(row),
        onBlock: () => part.drained(),
        progress,
        featureSet,
        phaseMs,
        ...(silenceMs === undefined ? {} : { silenceMs }),
      },
    );
    await writer.closePart(part, {
      source: source.name,
      market: marketId(instrument.venue, instrument.symbol),
      frames: reducer.frames,
      malformedFrames: reducer.malformedFrames + malformedLines,
      gaps: countByReason(gaps),
      ...phaseFact(phaseMs),
    });
  }
}

async function addImported(writer: DatasetWriter, source: ImportedSource, options: PhaseOptions): Promise<void> {
  const { featureSet = featureSetV1, progress, silenceMs = null, rule, phaseMs } = options;
  const part = writer.openPart();
  const { market, malformed } = await runImported(source, {
    featureSet,
    phaseMs,
    silenceMs,
    rule: { ...DEFAULT_TARGET_RULE, ...rule },
    onRow: (row) => part.add(row),
    onBlock: () => part.drained(),
    progress,
  });
  const facts = {
    source: sourceNameOf(source.header),
    market: source.header.market,
    frames: market.events,
    malformedFrames: malformed,
    gaps: market.gaps,
    sidelessTrades: market.sidelessTrades,
    ...phaseFact(phaseMs),
  };
  await writer.closePart(part, facts, { feed: market.feed });
}

function countByReason(gaps: readonly GapRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const gap of gaps) counts[gap.reason] = (counts[gap.reason] ?? 0) + 1;
  return counts;
}
