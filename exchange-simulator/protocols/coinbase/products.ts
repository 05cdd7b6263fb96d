/** What both of Coinbase's feeds share: product names, decimals, client messages, statistics of a day. */

import { type DecimalGrid, formatSteps } from "../../../core/units/decimal.ts";
import type { AppliedTrade } from "../../market/canonical-market.ts";
import type { Connection, Frame } from "../../venue.ts";

/** `BTC-USD` trades BTC for USD. */
export function currenciesOf(product: string): { base: string; quote: string } {
  const dash = product.indexOf("-");
  return dash < 0 ? { base: product, quote: "USD" } : { base: product.slice(0, dash), quote: product.slice(dash + 1) };
}

/** Without the zeros that say nothing: "0.791", "985", "0". */
export function plainSteps(steps: number, grid: DecimalGrid): string {
  const text = formatSteps(steps, grid);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export function frameOf(text: string, fields: Pick<Frame, "channel" | "symbol"> & Partial<Pick<Frame, "first" | "last">>): Frame {
  return { text, channel: fields.channel, symbol: fields.symbol, first: fields.first ?? null, last: fields.last ?? null };
}

const MESSAGES_PER_SECOND = 100;
const PRODUCTS_PER_MESSAGE = 1_000;

/** Counts a client's messages; one that talks too fast is cut. */
export class MessageRate {
  private second = 0;
  private count = 0;

  /** @returns whether the message may be read. */
  admit(now: number, connection: Connection): boolean {
    const second = Math.floor(now / 1_000);
    this.count = second === this.second ? this.count + 1 : 1;
    this.second = second;
    if (this.count <= MESSAGES_PER_SECOND) return true;
    connection.close(1008, "rate limit exceeded");
    return false;
  }
}

export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** @returns null when it isn't a list of names. */
export function namesOf(value: unknown): string[] | null {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > PRODUCTS_PER_MESSAGE) return null;
  return value.every((name): name is string => typeof name === "string" && name.length <= 64) ? value : null;
}

/** Open, high, low and volume since the market began, which stand for those of 24 hours and 30 days. */
export class DayStatistics {
  openTicks: number | null = null;
  highTicks = 0;
  lowTicks = 0;
  lots = 0;

  add({ priceTicks, sizeLots }: AppliedTrade): void {
    this.highTicks = this.openTicks === null ? priceTicks : Math.max(this.highTicks, priceTicks);
    this.lowTicks = this.openTicks === null ? priceTicks : Math.min(this.lowTicks, priceTicks);
    this.openTicks ??= priceTicks;
    this.lots += sizeLots;
  }
}
