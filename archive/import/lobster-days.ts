/**
 * The files of LOBSTER as days: a message file and an order book file each, told by name, in the order of their dates. Times of day become epoch
 * ms by New York's own offset on that date (the time zone database of the runtime), or by the one that the caller knows better.
 */

import { basename } from "node:path";
import { dayOf, MS_PER_HOUR, startOfDay } from "../../core/units/time.ts";
import { ArchiveError } from "../archive-error.ts";
import type { InputFile } from "../input-files.ts";
import type { ImportOptions } from "./foreign.ts";

export const LOBSTER_FILE = /(message|orderbook)[^/]*\.csv(\.gz)?$/;
/** TICKER_date_from_to_message_levels, the times of day in ms. */
const WHOLE_NAME = /^([A-Za-z0-9.-]{1,20})_(\d{4}-\d\d-\d\d)_\d+_\d+_(message|orderbook)_\d+\.csv(\.gz)?$/;
const ZONE = "America/New_York";

export interface LobsterDay {
  readonly market: string;
  readonly messages: string;
  readonly books: string;
  /** Epoch ms of the exchange's midnight. */
  readonly midnight: number;
}

/** Throws ArchiveError where a file has no partner, or nothing says its ticker or its day. */
export function lobsterDays(files: readonly InputFile[], options: ImportOptions): LobsterDay[] {
  const pairs = new Map<string, { messages?: string; books?: string }>();
  for (const { path } of files) {
    const kind = LOBSTER_FILE.exec(basename(path))?.[1];
    if (kind === undefined) throw new ArchiveError(`${path}: a file of LOBSTER has "message" or "orderbook" in its name`);
    const key = path.replace(/(message|orderbook)(?=[^/]*$)/, "");
    const pair = pairs.get(key) ?? {};
    pairs.set(key, { ...pair, [kind === "message" ? "messages" : "books"]: path });
  }
  const days = [...pairs.values()].map(({ messages, books }) => {
    if (messages === undefined || books === undefined)
      throw new ArchiveError(`${messages ?? books}: its ${messages === undefined ? "message" : "order book"} file is missing beside it`);
    return dayOfPair(messages, books, options);
  });
  days.sort((left, right) => (left.market === right.market ? left.midnight - right.midnight : left.market < right.market ? -1 : 1));
  const twice = days.find((day, index) => index > 0 && isSameDay(day, days[index - 1] as LobsterDay));
  if (twice !== undefined) throw new ArchiveError(`${twice.messages}: ${twice.market} has that day twice`);
  return days;
}

function isSameDay(left: LobsterDay, right: LobsterDay): boolean {
  return left.market === right.market && left.midnight === right.midnight;
}

function dayOfPair(messages: string, books: string, { market, venue, date, utcOffsetMs }: ImportOptions): LobsterDay {
  const [, ticker, dayOfName] = WHOLE_NAME.exec(basename(messages)) ?? [];
  const day = date ?? dayOfName;
  const start = day === undefined ? null : startOfDay(day);
  if (start === null) throw new ArchiveError(`${messages}: neither its name nor --date says a day such as 2012-06-21`);
  if (market === null && ticker === undefined) throw new ArchiveError(`${messages}: its name doesn't begin with a ticker: give --market`);
  return {
    market: market ?? `${venue ?? "nasdaq"}:${ticker}`,
    messages,
    books,
    midnight: start - (utcOffsetMs ?? offsetOn(start)),
  };
}

/** How far New York is ahead of UTC on the day that begins at `start` UTC; clocks there change in the night to a Sunday, when nothing trades. */
function offsetOn(start: number): number {
  const noon = start + 12 * MS_PER_HOUR;
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: ZONE, hourCycle: "h23", hour: "2-digit", day: "2-digit" }).formatToParts(noon);
  const hour = Number(parts.find(({ type }) => type === "hour")?.value);
  const day = Number(parts.find(({ type }) => type === "day")?.value);
  if (day !== Number(dayOf(start).slice(8))) throw new RangeError(`${ZONE} has another day at noon UTC of ${dayOf(start)}`);
  return (hour - 12) * MS_PER_HOUR;
}
