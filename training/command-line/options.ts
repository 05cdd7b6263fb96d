/** What several commands take, read once. */

import { InvalidArgumentError, Option } from "commander";
import { MS_PER_MINUTE, startOfDay } from "../../core/units/time.ts";
import { PLAIN_NAME } from "../../models/manifest.ts";
import { parseHorizons } from "../datasets/horizons.ts";
import type { RuntimeName } from "../runtime/contract.ts";

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted.");
  return Number(text);
}

/** 1 or more. */
export function countingNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("a whole number above 0 is wanted.");
  return value;
}

export function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && Number.isFinite(value))) throw new InvalidArgumentError("a number of 0 or more is wanted.");
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("a number above 0 is wanted.");
  return value;
}

/** A UTC day of the calendar, yyyy-mm-dd. */
export function calendarDay(text: string): string {
  if (startOfDay(text) === null) throw new InvalidArgumentError("a day such as 2026-01-05 is wanted.");
  return text;
}

/** Epoch ms. */
export function moment(text: string): number {
  const isDated = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z?)?$/.test(text);
  const time = isDated ? Date.parse(text.includes("T") && !text.endsWith("Z") ? `${text}Z` : text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("a UTC day or moment such as 2026-01-07 or 2026-01-06T12:00 is wanted.");
  return time;
}

/** "-04:00" in ms. No clock on earth is further than 14 hours from UTC. */
export function utcOffset(text: string): number {
  const match = /^([+-]?)(\d{1,2}):(\d\d)$/.exec(text);
  const minutes = match === null ? Number.NaN : Number(match[2]) * 60 + Number(match[3]);
  if (!(minutes <= 14 * 60) || Number(match?.[3]) > 59) throw new InvalidArgumentError("hours and minutes such as -05:00 are wanted.");
  return (match?.[1] === "-" ? -1 : 1) * minutes * MS_PER_MINUTE;
}

/** What a model may be called: it becomes part of a key. */
export function modelName(text: string): string {
  if (!PLAIN_NAME.test(text))
    throw new InvalidArgumentError("a name of letters, digits, dots, dashes and underscores is wanted, 80 at most.");
  return text;
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

/** "1000,5000": ms, ascending. */
export function horizonsOption(about: string): Option {
  return new Option("--horizons <ms,ms>", `how far ahead moves are looked at, as a list of ms: ${about}`).argParser((text) =>
    parseHorizons(text),
  );
}

export function jsonOption(): Option {
  return new Option("--json", "one JSON object on stdout, for programs").default(false);
}

/** In bytes. */
export function memoryOption(): Option {
  return new Option(
    "--memory <MB>",
    "feature rows of more than so much stay in their file, and are read when they are wanted (a quarter of the machine's unless told)",
  ).argParser((text) => wholeNumber(text) * 1_000_000);
}

/** For readDataset. */
export function memoryOf({ memory }: { readonly memory?: number }): { memoryBytes?: number } {
  return memory === undefined ? {} : { memoryBytes: memory };
}

export function backendOption(): Option {
  const names: RuntimeName[] = ["node", "wasm"];
  return new Option("--backend <name>", "node is fast; wasm gives the same bytes on any machine").choices(names).default("node");
}
