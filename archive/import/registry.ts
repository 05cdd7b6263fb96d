/** The formats that come in. Adding one: a file beside this one, and one line here. */

import { binanceKlines, bitmexBars, klinesCsv } from "./bars.ts";
import { bitmexDays } from "./bitmex-days.ts";
import { events } from "./events.ts";
import type { Importer } from "./foreign.ts";
import { fxQuotes } from "./fx-quotes.ts";
import { hftbacktest } from "./hftbacktest.ts";
import { hyperliquid } from "./hyperliquid.ts";
import { lobster } from "./lobster.ts";
import { recorder } from "./recorder.ts";
import { standx } from "./standx.ts";
import { csvTables, parquetTables } from "./tables.ts";
import { tardis } from "./tardis.ts";
import { wire } from "./wire.ts";

export const importers: readonly Importer[] = [
  events,
  csvTables,
  parquetTables,
  wire,
  recorder,
  tardis,
  hftbacktest,
  standx,
  hyperliquid,
  fxQuotes,
  binanceKlines,
  klinesCsv,
  bitmexBars,
  bitmexDays,
  lobster,
];

export function findImporter(format: string): Importer | null {
  return importers.find((importer) => importer.format === format) ?? null;
}
