/** Day files verified, unpacked to tapes and exported as `edgebook export … --as ndjson` does it. */

import { createReadStream, createWriteStream } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { eventSources } from "../../archive/export/event-sources.ts";
import { runExport } from "../../archive/export/run-export.ts";
import { readDayFile } from "../../core/wire/day-file/reader.ts";
import { sha256 } from "./play-tape.ts";

/** @returns the file of events. Throws where a day file is not whole. */
export async function exportDays(days: readonly string[], out: string, silenceMs: number): Promise<string> {
  const tapes: string[] = [];
  for (const day of days) {
    // An export takes the venue from the beginning of a tape's name.
    const tape = join(out, `${basename(day)}.tape.gz`);
    const gzip = createGzip({ level: constants.Z_BEST_SPEED });
    await pipeline(Readable.from(textsOf(day)), gzip, createWriteStream(tape));
    tapes.push(tape);
  }
  const progress = { start: () => {}, update: () => {}, stop: () => {} };
  const sources = await eventSources(tapes, { venue: "bitmex", silenceMs });
  const report = await runExport(sources, {
    form: "ndjson",
    out: join(out, "export"),
    market: null,
    intervalMs: 60_000,
    levels: 20,
    progress,
  });
  const [exported] = report.markets;
  if (exported?.files[0] === undefined || report.failure !== null || report.refused > 0 || report.markets.length !== 1)
    throw new Error(
      `the export has ${report.markets.length} markets, refused ${report.refused}: ${report.failure ?? report.refusedSamples[0]}`,
    );
  return exported.files[0].path;
}

async function* textsOf(day: string): AsyncGenerator<Uint8Array> {
  for await (const part of readDayFile(createReadStream(day), sha256)) {
    if (part.kind === "fault") throw new Error(`${day}: ${part.fault.kind}: ${part.fault.detail}`);
    if (part.kind === "block") yield part.text;
  }
}
