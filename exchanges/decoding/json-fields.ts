/**
 * Fields of parsed JSON, read with their types checked. A field that isn't what the document promises raises `FieldError`, which the
 * readers of this folder turn into a malformed value at their one entry point; it never leaves the folder.
 */

import { type DecimalGrid, formatSteps, parseSteps, parseStepsUp } from "../../core/units/decimal.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Why a field can't be used. */
export class FieldError extends Error {}

/** Text shown of a bad value: enough to recognise it, never a whole frame. */
const SHOWN_CHARACTERS = 60;

/** A bad value for a person, never walked into: a hostile one may be nested a million deep. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value);
}

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textField(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value !== "string") throw new FieldError(`"${key}" is ${shown(value)}, not a string`);
  return value;
}

export function booleanField(object: JsonObject, key: string): boolean {
  const value = object[key];
  if (typeof value !== "boolean") throw new FieldError(`"${key}" is ${shown(value)}, not true or false`);
  return value;
}

/** A whole number from 0 to 2^53 - 1: times, sequences, counts, ids. */
export function integerField(object: JsonObject, key: string): number {
  return integerOf(object[key], `"${key}"`);
}

export function integerOf(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new FieldError(`${name} is ${shown(value)}, not a whole number from 0 to 2^53 - 1`);
  }
  return value === 0 ? 0 : value;
}

export function arrayField(object: JsonObject, key: string): readonly unknown[] {
  const value = object[key];
  if (!Array.isArray(value)) throw new FieldError(`"${key}" is ${shown(value)}, not an array`);
  return value;
}

/** A price as whole ticks: above zero and on the grid, or refused. */
export function ticksOf(value: unknown, name: string, grid: DecimalGrid): number {
  const ticks = typeof value === "string" ? parseSteps(value, 0, value.length, grid) : null;
  if (ticks === null || ticks === 0)
    throw new FieldError(`${name} is ${shown(value)}, not a decimal string above zero on the grid ${gridText(grid)}`);
  return ticks;
}

/** A size as whole lots, a part of one counting as one (see parseStepsUp). */
export function lotsOf(value: unknown, name: string, grid: DecimalGrid): number {
  const lots = typeof value === "string" ? parseStepsUp(value, grid) : null;
  if (lots === null) throw new FieldError(`${name} is ${shown(value)}, not a decimal string that fits in lots of ${gridText(grid)}`);
  return lots;
}

function gridText(grid: DecimalGrid): string {
  return formatSteps(1, grid);
}
