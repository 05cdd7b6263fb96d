/**
 * Wire captures (wire-capture.ts) as events, through the venue's adapter and the feed's reducer; or, for any venue, as a tape, which an adapter replays: nothing
 * of what was sent is lost in it.
 */

import { join } from "node:path";
import { marketId } from "../../core/market/instrument.ts";
import { formatSteps } from "../../core/units/decimal.ts";
import { encodeTapeRecord } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { ArchiveError } from "../archive-error.ts";
import type { ArchiveProgress } from "../archive-progress.ts";
import { inputFiles } from "../input-files.ts";
import { LineFile } from "../line-file.ts";
import { TapeReplay } from "../tape-events.ts";
import { asText } from "./events.ts";
import type { ForeignItem, Importer, VenueOfLines } from "./foreign.ts";
import { openWireCapture } from "./wire-capture.ts";

const FILE_NAME = /\.(ndjson|txt)(\.gz)?$/;

export const wire: Importer = {
  format: "wire",
  what: "what a venue sent: lines `<ns> <json>` or `<s>: <frame>`, with the REST answers; --tape for a tape in place of events",
  fileName: FILE_NAME,
  async open(files, options) {
    const capture = await openWireCapture(files, options);
    if (findAdapter(capture.venue) === null)
      throw new ArchiveError(`no adapter speaks the venue "${capture.venue}": import it with --tape, which keeps everything that was sent`);
    const markets = capture.instruments.map((instrument) => ({ ...instrument, market: marketId(capture.venue, instrument.symbol) }));
    const headers = new Map(markets.map(({ market, tick, lot }) => [market, { market, tick, lot, source: capture.name }]));
    return {
      name: capture.name,
      headers,
      tellsLosses: true,
      async *items(onBytes) {
        const replay = new TapeReplay(capture.venue, capture.instruments);
        let at = { file: capture.name, line: 0 };
        const foreign = (items: ReturnType<TapeReplay["take"]>): ForeignItem[] =>
          items.map((item): ForeignItem => {
            const grids = "refused" in item ? undefined : headers.get(item.market);
            return "refused" in item || grids === undefined
              ? (item as ForeignItem)
              : { market: item.market, record: asText(item.record, grids), ...at };
          });
        for await (const block of capture.records(onBytes)) {
          const out: ForeignItem[] = [];
          for (const item of block) {
            if ("refused" in item) {
              out.push(item);
              continue;
            }
            at = { file: item.file, line: item.line };
            out.push(...foreign(replay.take(item.record, at)));
          }
          yield out;
        }
        yield foreign(replay.end());
      },
    };
  },
};

export interface TapeReport {
  readonly venue: string;
  readonly source: string;
  readonly file: string;
  readonly bytes: number;
  readonly records: number;
  readonly instruments: readonly { readonly symbol: string; readonly tick: string; readonly lot: string }[];
  readonly refused: number;
  readonly refusedSamples: readonly string[];
  readonly failure: string | null;
}

const KEPT_SAMPLES = 20;

/** A capture as one tape, `<out>/<venue>.tape.gz`, with the grids that were inferred at its head. */
export async function importTape(
  paths: readonly string[],
  { venue, venueOfLines, out, progress }: { venue: string | null; venueOfLines?: VenueOfLines; out: string; progress: ArchiveProgress },
): Promise<TapeReport> {
  const files = await inputFiles(paths, (name) => FILE_NAME.test(name));
  const capture = await openWireCapture(files, { venue, venueOfLines });
  const file = await LineFile.create(join(out, `${capture.venue}.tape.gz`));
  const refusedSamples: string[] = [];
  let [records, refused, done] = [0, 0, 0];
  let failure: string | null = null;
  progress.start(
    `wire: ${capture.name}`,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  try {
    const onBytes = (bytes: number): void => {
      done += bytes;
      progress.update(done);
    };
    for await (const block of capture.records(onBytes)) {
      for (const item of block) {
        if ("refused" in item) {
          refused++;
          if (refusedSamples.length < KEPT_SAMPLES) refusedSamples.push(`${item.file} line ${item.line}: ${item.refused}`);
          continue;
        }
        if (records === 0)
          for (const instrument of capture.instruments)
            file.line(lineOf({ kind: "instrument", receivedAt: item.record.receivedAt, ...instrument }));
        file.line(lineOf(item.record));
        records++;
      }
      await file.drained();
    }
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    failure = error.message;
  }
  progress.stop();
  const instruments = capture.instruments.map(({ symbol, tick, lot }) => ({
    symbol,
    tick: formatSteps(1, tick),
    lot: formatSteps(1, lot),
  }));
  const bytes = await file.close();
  return { venue: capture.venue, source: capture.name, file: file.path, bytes, records, instruments, refused, refusedSamples, failure };
}

function lineOf(record: Parameters<typeof encodeTapeRecord>[0]): string {
  return encodeTapeRecord(record).slice(0, -1);
}
