/**
 * Which minute objects a day file was made of, as text short enough for a row: `{"main.00":[0,719,725,1439]}`, for each feed and part the first and
 * the last minute of each stretch, minutes counted from the day's start. Pure.
 *
 * An object is in a file when its minute is in a stretch and it is no younger than the youngest of that file's objects: after a deletion a
 * late writer may store other content under the same key.
 */

import { MS_PER_DAY, MS_PER_MINUTE } from "../../core/units/time.ts";
import { parseTapesKey } from "../../core/wire/keys.ts";

/** What a row of `days` says of its sources. */
export interface DaySources {
  readonly sources: string;
  readonly sourcesUntil: number;
}

export interface SourceObject {
  readonly key: string;
  readonly uploadedAt: number;
}

export type MinuteStretches = Readonly<Record<string, readonly number[]>>;

/** @param objects of one market's day, which begins at `dayStart`, in any order. */
export function sourcesOf(objects: readonly SourceObject[], dayStart: number): DaySources {
  const minutes = new Map<string, number[]>();
  let sourcesUntil = 0;
  for (const object of objects) {
    const place = placeOf(object.key, dayStart);
    if (place === null) throw new Error(`${object.key} holds no tapes of the day`);
    minutes.set(place.writer, [...(minutes.get(place.writer) ?? []), place.minute]);
    sourcesUntil = Math.max(sourcesUntil, object.uploadedAt);
  }
  const stretches = [...minutes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([writer, each]) => [writer, stretchesOf(each)]);
  return { sources: JSON.stringify(Object.fromEntries(stretches)), sourcesUntil };
}

/** Whether one of the day's files holds the market's bytes of this object. */
export function isIncluded(object: SourceObject, files: readonly DaySources[], dayStart: number): boolean {
  const place = placeOf(object.key, dayStart);
  if (place === null) return false;
  return files.some(
    ({ sources, sourcesUntil }) => object.uploadedAt <= sourcesUntil && isWithin(place.minute, readSources(sources)[place.writer] ?? []),
  );
}

/** The day's minutes of which none of the files holds anything: first and last of each stretch, counted from the day's start. */
export function missingMinutes(files: readonly DaySources[]): number[] {
  const present = files.flatMap(({ sources }) => Object.values(readSources(sources)));
  const isPresent = (minute: number): boolean => present.some((stretches) => isWithin(minute, stretches));
  return stretchesOf(Array.from({ length: MS_PER_DAY / MS_PER_MINUTE }, (_, minute) => minute).filter((minute) => !isPresent(minute)));
}

/** How many minutes the stretches hold. */
export function countMinutes(stretches: readonly number[]): number {
  let count = 0;
  for (let at = 0; at < stretches.length; at += 2) count += (stretches[at + 1] ?? 0) - (stretches[at] ?? 0) + 1;
  return count;
}

function readSources(text: string): MinuteStretches {
  return JSON.parse(text) as MinuteStretches;
}

function placeOf(key: string, dayStart: number): { writer: string; minute: number } | null {
  const name = parseTapesKey(key);
  if (name === null || name.minuteMs < dayStart || name.minuteMs >= dayStart + MS_PER_DAY) return null;
  return { writer: `${name.feed}.${String(name.part).padStart(2, "0")}`, minute: (name.minuteMs - dayStart) / MS_PER_MINUTE };
}

function isWithin(minute: number, stretches: readonly number[]): boolean {
  for (let at = 0; at < stretches.length; at += 2) {
    if (minute >= (stretches[at] ?? 0) && minute <= (stretches[at + 1] ?? -1)) return true;
  }
  return false;
}

function stretchesOf(minutes: readonly number[]): number[] {
  const stretches: number[] = [];
  for (const minute of minutes.toSorted((a, b) => a - b)) {
    const last = stretches.at(-1);
    if (last !== undefined && minute <= last + 1) stretches[stretches.length - 1] = minute;
    else stretches.push(minute, minute);
  }
  return stretches;
}
