/** A folder for the files of a test, and the two commands' work without the command line. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll } from "vitest";
import { eventSources } from "../../archive/export/event-sources.ts";
import { type ExportReport, type RunExportOptions, runExport } from "../../archive/export/run-export.ts";
import { findImporter } from "../../archive/import/registry.ts";
import { type ImportReport, type RunImportOptions, runImport } from "../../archive/import/run-import.ts";

export const silent = { start() {}, update() {}, stop() {}, abandon() {} };

const folder = mkdtempSync(join(tmpdir(), "archive-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

/** A folder of its own. */
export function freshFolder(): string {
  const path = join(folder, String(folders++));
  mkdirSync(path);
  return path;
}

/** Writes a file, gzip when its name says so. @returns its path. */
export function put(name: string, text: string | Buffer): string {
  const path = join(freshFolder(), name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, name.endsWith(".gz") && typeof text === "string" ? gzipSync(text) : text);
  return path;
}

export function importFiles(format: string, files: readonly string[], options: Partial<RunImportOptions> = {}): Promise<ImportReport> {
  const importer = findImporter(format);
  if (importer === null) throw new Error(`no format ${format}`);
  const out = freshFolder();
  const plain = { market: null, venue: null, intervalMs: null, grids: new Map(), sides: "as-given", progress: silent } as const;
  return runImport(importer, files, { ...plain, out, ...options });
}

export async function exportFiles(files: readonly string[], options: Partial<RunExportOptions>): Promise<ExportReport> {
  const plain = { form: "ndjson", market: null, intervalMs: 60_000, levels: 20, progress: silent } as const;
  return runExport(await eventSources(files, { venue: "binance-spot" }), { ...plain, out: freshFolder(), ...options });
}

/** The lines of a text file, gzip or not. */
export function linesOf(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.trimEnd().split("\n");
}

/** The lines of the only market's events. */
export function eventLines(report: ImportReport): string[] {
  const [market, ...others] = report.markets;
  if (market === undefined || others.length > 0) throw new Error(`${report.markets.length} markets, not one`);
  return linesOf(market.file);
}
