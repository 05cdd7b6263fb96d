/**
 * Quotes of a currency pair, a file a day named YYYYMMDD.csv: `ms_of_day,bid,ask`, as QuantConnect/Lean keeps OANDA's. There is one time, the
 * venue's, and no size: receivedAt is the same time, and sizes are null.
 */

import { basename } from "node:path";
import { MS_PER_DAY } from "../../core/units/time.ts";
import { ArchiveError } from "../archive-error.ts";
import { decimalText, millis } from "./decimal-text.ts";
import type { ForeignItem, Importer } from "./foreign.ts";
import { csvRows, joined } from "./rows.ts";

const NAME = /^(\d{4})(\d\d)(\d\d)[^/]*\.csv(\.gz)?$/;

export const fxQuotes: Importer = {
  format: "fx-quotes",
  what: "CSV ms_of_day,bid,ask of a day (UTC), named YYYYMMDD.csv",
  fileName: NAME,
  async open(files, options) {
    const market = options.market ?? `${options.venue ?? "oanda"}:EURUSD`;
    const days = files.map(({ path }) => ({ path, midnight: midnightOf(path) }));
    return {
      name: `${files.map(({ path }) => basename(path)).join(" + ")}; receivedAt is the venue's time`,
      items: (onBytes) => joined(days.map(({ path, midnight }) => readDay(path, { market, midnight, onBytes }))),
    };
  },
};

function midnightOf(path: string): number {
  const match = NAME.exec(basename(path));
  const midnight = match === null ? Number.NaN : Date.parse(`${match[1]}-${match[2]}-${match[3]}T00:00:00Z`);
  if (Number.isNaN(midnight)) throw new ArchiveError(`${path}: the day is read from the name, which should be YYYYMMDD.csv`);
  return midnight;
}

interface DayOptions {
  readonly market: string;
  readonly midnight: number;
  readonly onBytes: (bytes: number) => void;
}

async function* readDay(file: string, { market, midnight, onBytes }: DayOptions): AsyncGenerator<ForeignItem[]> {
  for await (const block of csvRows(file, ["ms_of_day", "bid", "ask"], onBytes)) {
    yield block.map((row): ForeignItem => {
      if ("refused" in row) return row;
      const ofDay = millis(row.fields[0]);
      const [bid, ask] = [decimalText(row.fields[1]), decimalText(row.fields[2])];
      if (ofDay === null || ofDay >= MS_PER_DAY || bid === null || ask === null)
        return { refused: "no quote of that day", file, line: row.line };
      const time = midnight + ofDay;
      const record = { kind: "quote", receivedAt: time, venueTime: time, sequence: null, bid: [bid, null], ask: [ask, null] } as const;
      return { market, record, file, line: row.line };
    });
  }
}
