/**
 * Which minutes a model may be trained on, which choose among models, and which alone judge it (docs/decisions/0013-split-labels.md).
 *
 * Time is cut into cycles of whole UTC days, counted from 1970-01-01: so many of training, then validation, then test, and over again. The first
 * minutes of each block are an embargo and belong to none: what a row before the boundary is labelled with, and what a row after it looks back
 * on, lie within it. The label is a function of the minute and the schedule alone, so that no run, machine or repetition can give another.
 *
 * What it refuses: an embargo shorter than what it has to keep apart, and blocks that are not whole days.
 */

import { MS_PER_DAY, MS_PER_MINUTE } from "../units/time.ts";

export const SPLIT_LABELS = ["train", "validation", "test", "embargo"] as const;
export type SplitLabel = (typeof SPLIT_LABELS)[number];

export interface SplitSchedule {
  readonly trainDays: number;
  readonly validationDays: number;
  readonly testDays: number;
  /** At the head of each block. */
  readonly embargoMinutes: number;
}

/**
 * The embargo holds the longest usual horizon (300 s, horizons.ts), which reaches over the boundary from before, and the features' longest window and
 * warm-up (31 s), which reach back from behind: five and a half minutes. That leaves room for some more. Whoever takes longer horizons needs a longer one.
 */
export const MIN_EMBARGO_MINUTES = 10;
const MAX_EMBARGO_MINUTES = 720;
const MAX_BLOCK_DAYS = 366;

/**
 * Six days in ten train. Ten and the week's seven have no common divisor, so that in ten weeks each block has held each day of the week equally
 * often: with a cycle of weeks, test would always be the same two days.
 */
export const DEFAULT_SPLIT_SCHEDULE: SplitSchedule = { trainDays: 6, validationDays: 2, testDays: 2, embargoMinutes: 60 };

/** @param minute any time within it, epoch ms, not before 1970. */
export function splitOf(minute: number, schedule: SplitSchedule): SplitLabel {
  const { trainDays, validationDays, testDays, embargoMinutes } = schedule;
  const days = trainDays + validationDays + testDays;
  const day = Math.floor(minute / MS_PER_DAY);
  const dayOfCycle = day % days;
  const [label, firstDay] = blockOf(dayOfCycle, schedule);
  const sinceBoundary = minute - (day - dayOfCycle + firstDay) * MS_PER_DAY;
  return sinceBoundary < embargoMinutes * MS_PER_MINUTE ? "embargo" : label;
}

/** The label of a day of the cycle, and the day that its block begins with. */
function blockOf(dayOfCycle: number, { trainDays, validationDays }: SplitSchedule): [label: SplitLabel, firstDay: number] {
  if (dayOfCycle < trainDays) return ["train", 0];
  if (dayOfCycle < trainDays + validationDays) return ["validation", trainDays];
  return ["test", trainDays + validationDays];
}

/** Says the whole schedule: equal ids label every minute alike, and no two schedules share one. */
export function splitScheduleId({ trainDays, validationDays, testDays, embargoMinutes }: SplitSchedule): string {
  return `days-${trainDays}-${validationDays}-${testDays}-embargo-${embargoMinutes}min`;
}

/** @param text the SPLITS variable: `{"trainDays":6,"validationDays":2,"testDays":2,"embargoMinutes":60}`; "" for these. */
export function parseSplitSchedule(text: string): SplitSchedule | { malformed: string } {
  if (text === "") return DEFAULT_SPLIT_SCHEDULE;
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { malformed: `SPLITS must be a JSON object, and is: ${text.slice(0, 80)}` };
  const fields = value as Record<string, unknown>;
  const names = Object.keys(DEFAULT_SPLIT_SCHEDULE);
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown !== undefined) return { malformed: `SPLITS has no "${unknown}"; it has ${names.join(", ")}` };
  const { trainDays, validationDays, testDays, embargoMinutes } = fields;
  for (const [name, days] of Object.entries({ trainDays, validationDays, testDays })) {
    if (!isWholeBetween(days, 1, MAX_BLOCK_DAYS))
      return { malformed: `SPLITS needs ${name}, a whole number from 1 to ${MAX_BLOCK_DAYS}, and has ${JSON.stringify(days)}` };
  }
  if (!isWholeBetween(embargoMinutes, MIN_EMBARGO_MINUTES, MAX_EMBARGO_MINUTES)) {
    return {
      malformed: `SPLITS needs embargoMinutes, a whole number from ${MIN_EMBARGO_MINUTES} to ${MAX_EMBARGO_MINUTES}, and has ${JSON.stringify(embargoMinutes)}`,
    };
  }
  return { trainDays, validationDays, testDays, embargoMinutes } as SplitSchedule;
}

function isWholeBetween(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
