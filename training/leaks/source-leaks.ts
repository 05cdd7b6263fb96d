/** Cuts the history of sources: the records of each market, through the code that makes datasets of them. */

import { createHash } from "node:crypto";
import { readEventsFile } from "../../archive/events-file.ts";
import type { FeatureRow, FeatureSet } from "../../core/features/contract.ts";
import { marketId } from "../../core/market/instrument.ts";
import { CommandError } from "../command-error.ts";
import { DEFAULT_TARGET_RULE } from "../datasets/build-dataset.ts";
import { type ImportedBlock, type ImportedSource, takeImported } from "../datasets/imported-source.ts";
import { type Progress, silent } from "../progress.ts";
import type { FeedSource, SourceRecord } from "../replay/feed-source.ts";
import { replaySource } from "../replay/replay-source.ts";
import { type CutHistory, type CutOptions, cutHistory, type Pipeline } from "./cut-history.ts";
import type { LeakVerdict } from "./verdict.ts";

export interface SourceLeakOptions extends CutOptions {
  readonly featureSet: FeatureSet;
  /** The first so many are looked at: they are held in memory and read over and over. */
  readonly mostRecords: number;
  readonly progress: Progress;
}

/** Sixteen hex digits of a row's hash: among a million rows two that differ look alike once in 10^7 checks. */
const DIGEST_DIGITS = 16;
const RECORDS_A_BLOCK = 256;

/** Throws CommandError where no market gave a row to compare: a market without one is no fault, a source without any proves nothing. */
export async function sourceLeaks(
  sources: readonly (FeedSource | ImportedSource)[],
  options: SourceLeakOptions,
): Promise<readonly LeakVerdict[]> {
  const histories: CutHistory[] = [];
  for (const source of sources) histories.push(...("kind" in source ? [await ofImported(source, options)] : await ofFeed(source, options)));
  if (histories.length > 0 && histories.every(({ compared }) => compared === 0))
    throw new CommandError("no row was written before any cut, so nothing was compared: name a longer recording");
  return histories.flatMap(({ verdicts }) => verdicts);
}

async function ofFeed(source: FeedSource, options: SourceLeakOptions): Promise<CutHistory[]> {
  const records = await firstOf(
    source.records(() => {}),
    options.mostRecords,
  );
  const histories: CutHistory[] = [];
  for (const instrument of source.instruments) {
    const pipeline: Pipeline<SourceRecord> = async (some) => {
      const digests: string[] = [];
      const one = { ...source, instruments: [instrument], records: () => inBlocks(some) };
      await replaySource(one, { onRow: (_symbol, row) => digests.push(digestOf(row)), featureSet: options.featureSet, progress: silent });
      return digests;
    };
    const market = marketId(instrument.venue, instrument.symbol);
    histories.push(await watched(market, options, () => cutHistory(market, records, { ...options, pipeline })));
  }
  return histories;
}

async function ofImported(source: ImportedSource, options: SourceLeakOptions): Promise<CutHistory> {
  const { path, header } = source;
  const records = await firstOf(readEventsFile(path, header), options.mostRecords);
  const pipeline: Pipeline<ImportedBlock[number]> = async (some) => {
    const digests: string[] = [];
    await takeImported(inBlocks(some), source, {
      featureSet: options.featureSet,
      silenceMs: null,
      rule: DEFAULT_TARGET_RULE,
      onRow: (row) => digests.push(digestOf(row)),
      onBlock: async () => {},
    });
    return digests;
  };
  return watched(header.market, options, () => cutHistory(header.market, records, { ...options, pipeline }));
}

async function watched<Result>(label: string, { progress }: SourceLeakOptions, work: () => Promise<Result>): Promise<Result> {
  progress.start(`${label}: history cut`, null);
  const result = await work();
  progress.stop();
  return result;
}

async function firstOf<Item>(blocks: AsyncIterable<readonly Item[]>, most: number): Promise<Item[]> {
  const items: Item[] = [];
  for await (const block of blocks) {
    for (const item of block) if (items.length < most) items.push(item);
    if (items.length >= most) break;
  }
  return items;
}

/** As sources give them: what is told of a source by its first block is told by what came first. */
async function* inBlocks<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  for (let from = 0; from < items.length; from += RECORDS_A_BLOCK) yield items.slice(from, from + RECORDS_A_BLOCK);
}

/** Of all that a row says, by its bits. */
function digestOf({ featureTime, row, bidTicks, askTicks, isWarm, segment }: FeatureRow): string {
  const hash = createHash("sha256").update(Float64Array.of(featureTime, bidTicks, askTicks, isWarm ? 1 : 0, segment));
  return hash.update(row).digest("hex").slice(0, DIGEST_DIGITS);
}
