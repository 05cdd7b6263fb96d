/**
 * `npm run bench -- standx`: three days of a real market's books and trades, imported, served through BitMEX's protocol as fast as it goes, recorded,
 * archived as day files, exported, and compared with the import, event for event. Fails on any difference, and on a silence that is not in the ledger.
 */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runImport } from "../archive/import/run-import.ts";
import { standx } from "../archive/import/standx.ts";
import { type CircleReport, compareEvents } from "./circle/compare-events.ts";
import { exportDays } from "./circle/export-days.ts";
import { type Played, playTape } from "./circle/play-tape.ts";

export const STANDX_FOLDER = resolve(import.meta.dirname, "..", "..", "shared", "data", "l2", "standx-btc-usd");
/** What the recorder itself counts as a silence. */
const SILENCE_MS = 2_000;

export interface CircleOptions {
  readonly files: readonly string[];
  /** Played from the start on; all unless told. */
  readonly hours?: number;
}

export interface Circle {
  readonly played: Played;
  readonly compared: CircleReport;
  readonly exportSeconds: number;
}

/** The whole circle, in a folder of its own that is gone afterwards. */
export async function runCircle({ files, hours }: CircleOptions): Promise<Circle> {
  const out = mkdtempSync(join(tmpdir(), "edgebook-circle-"));
  try {
    const progress = { start: () => {}, update: () => {}, stop: () => {} };
    const options = { out, grids: new Map(), sides: "inferred", progress, market: null, venue: null, intervalMs: null } as const;
    const { markets, failure, refused } = await runImport(standx, files, options);
    const [imported] = markets;
    if (imported === undefined || failure !== null || refused > 0)
      throw new Error(`the import refused ${refused} records: ${failure ?? ""}`);
    const limit = hours === undefined ? {} : { hours };
    const played = await playTape({ events: imported.file, out, silenceMs: SILENCE_MS, ...limit });
    const began = performance.now();
    const exported = await exportDays(played.days, out, SILENCE_MS);
    const exportSeconds = (performance.now() - began) / 1_000;
    return { played, exportSeconds, compared: await compareEvents(imported.file, exported, played) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

export async function benchStandx(hours: number | null): Promise<void> {
  const files = readdirSync(STANDX_FOLDER).filter((name) => /^(diffL20|trades)_/.test(name));
  const { played, compared, exportSeconds } = await runCircle({
    files: files.map((name) => join(STANDX_FOLDER, name)),
    ...(hours === null ? {} : { hours }),
  });
  const { ledger, frames, malformedFrames, tapeBytes, dayFileBytes, simulatedSeconds, wallSeconds } = played;
  const gaps: Record<string, number> = {};
  for (const { reason } of ledger) gaps[reason] = (gaps[reason] ?? 0) + 1;
  const sizes = { frames, malformedFrames, tapeBytes, dayFileBytes, simulatedSeconds };
  const result = {
    name: "standx",
    sizes,
    seconds: wallSeconds,
    exportSeconds,
    timesRealTime: simulatedSeconds / wallSeconds,
    gaps,
    ...compared,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (compared.unequalMoments + compared.unequalTrades + compared.missingSilences > 0) throw new Error("the export is not the import");
}
