/** Day files for tests: a generated market's tape as its feed would have recorded it, with the minutes' books and hourly checkpoints beside it. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sha256 } from "../../archive/day-file.ts";
import { dayPath, type KnownDay, writeKnownDays } from "../../archive/pull/known-days.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { dayOf, minuteOf } from "../../core/units/time.ts";
import { chainHash } from "../../core/wire/day-chain.ts";
import { hex } from "../../core/wire/day-file/format.ts";
import { DayFileWriter } from "../../core/wire/day-file/writer.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";

export const MARKET = "binance-spot:TESTUSDT";
const SYMBOL = "TESTUSDT";
const INSTRUMENT = { venue: "binance-spot", symbol: SYMBOL, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 5, mantissa: 1 } };

export interface Lived {
  readonly records: readonly TapeRecord[];
  readonly minutes: readonly { minute: number; bookHash: string | null; lastSequence: number | null }[];
}

interface LivedThrough {
  readonly startTime: number;
  readonly seconds: number;
  readonly seed: number;
  readonly lotDecimals?: number;
}

/** What a feed of that market has seen and written down, a checkpoint each minute. */
export function live({ startTime, seconds, seed, lotDecimals = 5 }: LivedThrough): Lived {
  const instrument = { ...INSTRUMENT, lot: { decimals: lotDecimals, mantissa: 1 } };
  const adapter = findAdapter("binance-spot");
  if (adapter === null) throw new Error("no adapter");
  const reducer = new FeedReducer({ adapter, instruments: [instrument], featureSet: featureSetV1, frames: "one-market" });
  const records: TapeRecord[] = [];
  const minutes: { minute: number; bookHash: string | null; lastSequence: number | null }[] = [];
  let minute: number | null = null;
  const take = (record: TapeRecord): void => {
    reducer.record(record);
    records.push(record);
    for (const closed of reducer.takeClosedMinutes())
      minutes.push(...closed.snapshots.map(({ bookHash, lastSequence }) => ({ minute: closed.minute, bookHash, lastSequence })));
  };
  for (const record of simulateTape({ preset: "small-tick", seed, symbol: SYMBOL, seconds, startTime })) {
    const { receivedAt } = record;
    if (minuteOf(receivedAt) !== minute) {
      minute = minuteOf(receivedAt);
      take({ kind: "instrument", receivedAt, symbol: SYMBOL, tick: instrument.tick, lot: instrument.lot });
      const body = reducer.markets.get(SYMBOL)?.checkpoint() ?? null;
      if (body !== null) take({ kind: "checkpoint", receivedAt, symbol: SYMBOL, body });
    }
    take(record);
  }
  return { records, minutes };
}

export interface MadeDay {
  readonly link: KnownDay;
  readonly file: Buffer;
}

/** @param before the link that it follows. */
export async function makeDay(
  records: readonly TapeRecord[],
  { day, before = null, market = MARKET, part = 0 }: { day: string; before?: KnownDay | null; market?: string; part?: number },
): Promise<MadeDay> {
  const writer = new DayFileWriter({ market, day, digest: sha256, blockBytes: 40_000 });
  const begun = await writer.push(Buffer.from(records.map(encodeTapeRecord).join("")));
  const { bytes, trailer } = await writer.finish();
  const file = Buffer.concat([begun, bytes]);
  const head = hex(trailer.head);
  const chain = await chainHash(before?.chain ?? null, { market, day, part, head }, sha256);
  return {
    file,
    link: { market, day, part, link: (before?.link ?? 0) + 1, head, previous: before?.head ?? null, chain, bytes: file.length },
  };
}

/** Two days of one market over midnight, chained. */
export async function twoDays(): Promise<{ days: [MadeDay, MadeDay]; lived: Lived }> {
  const lived = live({ startTime: Date.UTC(2026, 0, 5, 23, 58), seconds: 238, seed: 7 });
  const of = (day: string): TapeRecord[] => lived.records.filter(({ receivedAt }) => dayOf(receivedAt) === day);
  const first = await makeDay(of("2026-01-05"), { day: "2026-01-05" });
  return { days: [first, await makeDay(of("2026-01-06"), { day: "2026-01-06", before: first.link })], lived };
}

/** As `pull` leaves them. @returns their paths. */
export async function layDown(out: string, days: readonly MadeDay[]): Promise<string[]> {
  const paths = days.map(({ link }) => join(out, dayPath(link)));
  for (const [index, path] of paths.entries()) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, days[index]?.file ?? "");
  }
  await writeKnownDays(
    dirname(paths[0] ?? out),
    days.map(({ link }) => link),
  );
  return paths;
}
