/**
 * The price path of a market: its best bid and ask at each grid time, as one line of text for each minute of receive time that wrote rows.
 *
 * The rows of a segment follow each other second by second, so only the first tells its time and prices, and each other one its changes, of which most are nothing:
 *
 *   path   = first { later }
 *   first  = "@" or "+"   time, epoch s   "/"   bid, ticks   "/"   ask less bid, ticks
 *   later  = ";" [ change of the bid ] [ "," change of ask less bid ]      a second after the row before it; what didn't change is left out
 *
 * "@" begins a segment; "+" stands only at the head of a path, and goes on with the segment at whose end the path before it stopped, a second earlier.
 * So `@1767614399/8812345/1;;1;-1,2` is four rows. Several "@" may follow one another, and a later one may lie before an earlier one: the clock was set anew.
 * A set of rows has one text: what any other text says is malformed. At most MAX_PATH_CHARACTERS; rows beyond are left out, and the next one begins a segment.
 */

import { isTime, MS_PER_SECOND } from "../units/time.ts";

/** Some 60 to 700 for a minute of a market, by its restlessness; a row of the object's store holds hundreds of markets' (feed/configuration.ts). */
export const MAX_PATH_CHARACTERS = 1_024;

export interface PathRow {
  /** Grid time on the market's clock, epoch ms, a whole second. */
  readonly featureTime: number;
  readonly bidTicks: number;
  /** Not below the bid. */
  readonly askTicks: number;
  /** Whether it begins a segment. One that doesn't is a second after the row before it. */
  readonly isBreak: boolean;
}

const SHOWN_CHARACTERS = 60;
const FIRST = /^[@+](-?[1-9]\d{0,15}|0)\/([1-9]\d{0,15})\/(0|[1-9]\d{0,15})$/;
const LATER = /^;(-?[1-9]\d{0,15})?(?:,(-?[1-9]\d{0,15}))?$/;

/** @returns one row's text. @param before the row before it in the same text; null where it is the first. */
export function encodePathRow(row: PathRow, before: PathRow | null): string {
  const { featureTime, bidTicks, askTicks, isBreak } = row;
  const spread = askTicks - bidTicks;
  if (before === null || isBreak) return `${isBreak ? "@" : "+"}${featureTime / MS_PER_SECOND}/${bidTicks}/${spread}`;
  const bidChange = bidTicks - before.bidTicks;
  const spreadChange = spread - (before.askTicks - before.bidTicks);
  return `;${bidChange === 0 ? "" : bidChange}${spreadChange === 0 ? "" : `,${spreadChange}`}`;
}

/** @returns the rows in the order in which they were written, or why the text is no path. */
export function decodePricePath(text: string): PathRow[] | { malformed: string } {
  if (text.length > MAX_PATH_CHARACTERS) return { malformed: `a price path of ${text.length} characters` };
  const rows: PathRow[] = [];
  for (const part of text.split(/(?=[@+;])/)) {
    const row = part.startsWith(";") ? laterRow(part, rows.at(-1)) : firstRow(part);
    if (row === null || !isPathRow(row)) return { malformed: `no row of a price path: ${part.slice(0, SHOWN_CHARACTERS)}` };
    if (!row.isBreak && rows.length > 0 && !part.startsWith(";")) return { malformed: "a price path that goes on in its middle" };
    rows.push(row);
  }
  return rows;
}

/** Whether a row can be written: whole seconds, whole ticks, bid and ask in order. */
export function isPathRow({ featureTime, bidTicks, askTicks }: PathRow): boolean {
  return (
    isTime(featureTime) &&
    Number.isSafeInteger(featureTime / MS_PER_SECOND) &&
    Number.isSafeInteger(bidTicks) &&
    Number.isSafeInteger(askTicks) &&
    bidTicks > 0 &&
    askTicks >= bidTicks
  );
}

function firstRow(part: string): PathRow | null {
  const [matched, seconds, bid, spread] = FIRST.exec(part) ?? [];
  if (matched === undefined) return null;
  const bidTicks = Number(bid);
  return { featureTime: Number(seconds) * MS_PER_SECOND, bidTicks, askTicks: bidTicks + Number(spread), isBreak: matched.startsWith("@") };
}

function laterRow(part: string, before: PathRow | undefined): PathRow | null {
  const [matched, bidChange = "0", spreadChange = "0"] = LATER.exec(part) ?? [];
  if (matched === undefined || before === undefined) return null;
  const bidTicks = before.bidTicks + Number(bidChange);
  const askTicks = bidTicks + (before.askTicks - before.bidTicks) + Number(spreadChange);
  return { featureTime: before.featureTime + MS_PER_SECOND, bidTicks, askTicks, isBreak: false };
}
