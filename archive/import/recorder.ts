/**
 * The classic form of BitMEX book recorders: a file of a day, a JSON object a line, `{date, time, prices[2n], volumes[2n]}`: n bids from the worst to the
 * best, then n asks from the best to the worst, n 50 as a rule. Each line is a snapshot.
 *
 * Date and time are UTC, ISO. There is one time: receivedAt is it, venueTime null. Lines further apart than one and a half intervals have a gap between them.
 */

import { basename } from "node:path";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { decimalText } from "./decimal-text.ts";
import type { ForeignItem, ForeignRecord, Importer, TextLevel } from "./foreign.ts";
import { joined, jsonRows } from "./rows.ts";

export const recorder: Importer = {
  format: "recorder",
  what: "classic BitMEX recorder: JSON lines {date, time, prices[100], volumes[100]}, 50 bids worst to best, then 50 asks",
  fileName: /\.(json|jsonl|ndjson|txt)(\.gz)?$/,
  async open(files, options) {
    const market = options.market ?? `${options.venue ?? "bitmex"}:XBTUSD`;
    const intervalMs = options.intervalMs ?? MS_PER_MINUTE;
    return {
      name: `${files.map(({ path }) => basename(path)).join(" + ")}; receivedAt is the recorder's time`,
      items(onBytes) {
        const state: DayOptions = { market, intervalMs, onBytes, last: { at: null } };
        return joined(files.map(({ path }) => readDay(path, state)));
      },
    };
  },
};

interface DayOptions {
  readonly market: string;
  readonly intervalMs: number;
  readonly onBytes: (bytes: number) => void;
  readonly last: { at: number | null };
}

async function* readDay(file: string, { market, intervalMs, onBytes, last }: DayOptions): AsyncGenerator<ForeignItem[]> {
  for await (const block of jsonRows(file, onBytes)) {
    const items: ForeignItem[] = [];
    for (const row of block) {
      const record = "refused" in row ? row : snapshotOf(row.value);
      if ("refused" in record) {
        items.push({ refused: record.refused, file, line: row.line });
        continue;
      }
      const { receivedAt } = record;
      if (last.at !== null && receivedAt - last.at > 1.5 * intervalMs) {
        const detail = `${receivedAt - last.at} ms between two lines`;
        const gap: ForeignRecord = { kind: "gap", receivedAt, from: last.at, to: receivedAt, reason: "missing-lines", detail };
        items.push({ market, record: gap, file, line: row.line });
      }
      last.at = receivedAt;
      items.push({ market, record, file, line: row.line });
    }
    yield items;
  }
}

function snapshotOf(value: Readonly<Record<string, unknown>>): ForeignRecord | { refused: string } {
  const { date, time, prices, volumes } = value;
  const receivedAt = typeof date === "string" && typeof time === "string" ? timeOf(date, time) : null;
  if (receivedAt === null)
    return { refused: `date and time are not YYYY-MM-DD and HH:MM:SS: ${JSON.stringify([date, time]).slice(0, 60)}` };
  if (!Array.isArray(prices) || !Array.isArray(volumes) || prices.length !== volumes.length || prices.length % 2 !== 0)
    return { refused: "prices and volumes are not two lists of one even length" };
  const levels: TextLevel[] = [];
  for (const [index, price] of (prices as unknown[]).entries()) {
    const level = [decimalText(price), decimalText(volumes[index])];
    if (level[0] == null || level[1] == null) return { refused: `level ${index} is not a price and a volume` };
    levels.push([level[0], level[1]]);
  }
  const half = levels.length / 2;
  return { kind: "snapshot", receivedAt, venueTime: null, sequence: null, bids: levels.slice(0, half).reverse(), asks: levels.slice(half) };
}

function timeOf(date: string, time: string): number | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || !/^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/.test(time)) return null;
  const at = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(at) ? null : at;
}
