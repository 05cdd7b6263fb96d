/**
 * One line of LOBSTER's message file and of its order book file, as numbers: https://lobsterdata.com/info/DataStructure.php, read 2026-11-27.
 * Prices are whole ten-thousandths of a dollar, and stay so here.
 */

import type { TakerSide } from "../../core/units/side.ts";
import { MS_PER_HOUR } from "../../core/units/time.ts";

/** [price in ten-thousandths of a dollar, shares] */
export type LobsterLevel = readonly [price: number, size: number];

export interface LobsterBook {
  /** Best first, none of size 0. */
  readonly bids: readonly LobsterLevel[];
  readonly asks: readonly LobsterLevel[];
}

export type LobsterMessage = { readonly ofDayMs: number } & (
  | { readonly kind: "order" }
  | { readonly kind: "trade"; readonly price: number; readonly size: number; readonly takerSide: TakerSide }
  /** An auction's: no side of it took. */
  | { readonly kind: "cross" }
  | { readonly kind: "halt"; readonly state: "halted" | "quoting" | "trading" }
);

/** A level that the book doesn't have is priced so, with either sign. */
const NO_LEVEL = 9_999_999_999;
const PER_DOLLAR_DIGITS = 4;
/** The one on which clocks are put back. */
const LONGEST_DAY_MS = 25 * MS_PER_HOUR;

/** @returns null when the line is none. A seventh field, the attribution of newer files, is not looked at. */
export function lobsterMessage(line: string): LobsterMessage | null {
  const fields = line.split(",");
  if (fields.length !== 6 && fields.length !== 7) return null;
  const [time, type, order, sizeText, priceText, direction] = fields as [string, string, string, string, string, string];
  const ofDayMs = timeOfDay(time);
  const [size, price] = [wholeNumber(sizeText), wholeNumber(priceText)];
  if (ofDayMs === null || wholeNumber(order) === null || size === null || price === null) return null;
  if (direction !== "1" && direction !== "-1") return null;
  if (type === "7") {
    const state = price === -1 ? "halted" : price === 0 ? "quoting" : price === 1 ? "trading" : null;
    return state === null ? null : { ofDayMs, kind: "halt", state };
  }
  if (price <= 0 || size <= 0) return null;
  if (type === "6") return { ofDayMs, kind: "cross" };
  // The direction is of the order that rested: who took was on the other side.
  if (type === "4" || type === "5") return { ofDayMs, kind: "trade", price, size, takerSide: direction === "1" ? "sell" : "buy" };
  return type === "1" || type === "2" || type === "3" ? { ofDayMs, kind: "order" } : null;
}

/** Ask price, ask size, bid price, bid size of each level, best first. @returns null when the line is none of `levels` levels, or its prices are out of order. */
export function lobsterBook(line: string, levels: number): LobsterBook | null {
  const numbers = line.split(",").map(wholeNumber);
  if (numbers.length !== 4 * levels) return null;
  const asks = sideOf(numbers, { at: 0, sign: 1 });
  const bids = sideOf(numbers, { at: 2, sign: -1 });
  return asks === null || bids === null ? null : { bids, asks };
}

/** 118600 is "11.8600". */
export function dollars(price: number): string {
  const digits = String(price).padStart(PER_DOLLAR_DIGITS + 1, "0");
  return `${digits.slice(0, -PER_DOLLAR_DIGITS)}.${digits.slice(-PER_DOLLAR_DIGITS)}`;
}

/** @param sign 1 where prices rise from the best on, else -1. */
function sideOf(numbers: readonly (number | null)[], { at, sign }: { at: number; sign: 1 | -1 }): LobsterLevel[] | null {
  const side: LobsterLevel[] = [];
  for (let place = at; place < numbers.length; place += 4) {
    const [price, size] = [numbers[place] ?? null, numbers[place + 1] ?? null];
    if (price === null || size === null) return null;
    if (Math.abs(price) === NO_LEVEL) continue;
    const worse = side.at(-1)?.[0];
    if (price <= 0 || size <= 0 || (worse !== undefined && sign * (price - worse) <= 0)) return null;
    side.push([price, size]);
  }
  return side;
}

/** Seconds after midnight with up to nine decimals, in whole ms: what is finer is cut off. */
function timeOfDay(text: string): number | null {
  const match = /^(\d{1,5})(?:\.(\d{1,12}))?$/.exec(text);
  const ms = match === null ? LONGEST_DAY_MS : Number(`${match[1]}${(match[2] ?? "").slice(0, 3).padEnd(3, "0")}`);
  return ms < LONGEST_DAY_MS ? ms : null;
}

function wholeNumber(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}
