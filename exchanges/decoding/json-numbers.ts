/**
 * Prices and sizes that come as JSON numbers, onto their grids by integer arithmetic.
 *
 * A parsed number is the double nearest to what the venue wrote; its shortest decimal (`String`) is what was written as long as that had
 * at most 15 digits. It is read as text from there on: no arithmetic with the double. A price of more digits is refused: what was written
 * may have been its neighbour.
 */

import { type DecimalGrid, formatSteps, parseSteps, parseStepsUp } from "../../core/units/decimal.ts";
import { FieldError, type JsonObject, shown } from "./json-fields.ts";

/** Prices have fewer units (of the grid's last decimal) than this: 15 digits. */
export const PRICE_UNITS_BOUND = 1e15;

/** The shortest decimal without an exponent: 1e-7 is "0.0000001". Null for what is negative, or no number. */
export function plainDecimal(value: unknown): string | null {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return null;
  const text = String(value === 0 ? 0 : value);
  const parts = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const digits = `${parts[1]}${parts[2] ?? ""}`;
  const exponent = Number(parts[3]);
  // `String` writes exponents below -6 and from 21 on: the point lies outside the digits.
  return exponent < 0 ? `0.${"0".repeat(-exponent - 1)}${digits}` : digits.padEnd(exponent + 1, "0");
}

/** A number above zero, as the decimal that was written. */
export function decimalField(object: JsonObject, key: string): string {
  const text = plainDecimal(object[key]);
  if (text === null || text === "0") throw new FieldError(`"${key}" is ${shown(object[key])}, not a number above zero`);
  return text;
}

/** A price as whole ticks: above zero and on the grid, or refused. */
export function ticksOfNumber(value: unknown, name: string, grid: DecimalGrid): number {
  const text = plainDecimal(value);
  const ticks = text === null ? null : parseSteps(text, 0, text.length, grid);
  if (ticks === null || ticks === 0 || ticks * grid.mantissa >= PRICE_UNITS_BOUND) {
    throw new FieldError(`${name} is ${shown(value)}, not a number above zero, of 15 digits, on the grid ${formatSteps(1, grid)}`);
  }
  return ticks;
}

/** A size as whole lots, a part of one counting as one (see parseStepsUp). */
export function lotsOfNumber(value: unknown, name: string, grid: DecimalGrid): number {
  const text = plainDecimal(value);
  const lots = text === null ? null : parseStepsUp(text, grid);
  if (lots === null) throw new FieldError(`${name} is ${shown(value)}, not a number that fits in lots of ${formatSteps(1, grid)}`);
  return lots;
}
