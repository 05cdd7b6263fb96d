/**
 * What a search may choose from: for each setting a list, or a range that is drawn from evenly or by orders of magnitude. Drawn numbers are
 * rounded to three digits, so that what was found can be typed again.
 */

import { z } from "zod";
import { exponential, naturalLog } from "../../core/math/elementary.ts";
import type { Random } from "../../core/math/random.ts";

const range = { low: z.number(), high: z.number() };

const dimensionShape = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("choice"), values: z.array(z.union([z.number(), z.string(), z.null()])).min(1) }),
    z.strictObject({ kind: z.literal("linear"), ...range }),
    z.strictObject({ kind: z.literal("logarithmic"), ...range }),
    z.strictObject({ kind: z.literal("whole"), low: z.int(), high: z.int() }),
  ])
  .refine((of) => of.kind === "choice" || of.low <= of.high, "low lies above high")
  .refine((of) => of.kind !== "logarithmic" || of.low > 0, "a logarithmic range begins above 0");

const spaceShape = z.record(z.string(), dimensionShape);

export type Dimension = z.infer<typeof dimensionShape>;
/** Setting by name. */
export type Space = Readonly<Record<string, Dimension>>;
/** Null: none, of a setting that may be left out (a bound of the gradient, say). */
export type DrawnValue = number | string | null;
/** One value of each. */
export type Drawn = Readonly<Record<string, DrawnValue>>;

const DIGITS = 3;

/** @returns the space, or the first thing wrong with it. */
export function parseSpace(value: unknown): { space: Space } | { malformed: string } {
  const read = spaceShape.safeParse(value);
  if (read.success) return Object.keys(read.data).length === 0 ? { malformed: "it names no setting" } : { space: read.data };
  const [issue] = read.error.issues;
  return { malformed: issue === undefined ? "not of this shape" : `${issue.path.join(".") || "(root)"}: ${issue.message}` };
}

export function drawFrom(space: Space, random: Random): Drawn {
  return Object.fromEntries(Object.entries(space).map(([name, dimension]) => [name, draw(dimension, random)]));
}

function draw(dimension: Dimension, random: Random): DrawnValue {
  if (dimension.kind === "choice") return dimension.values[random.integerBelow(dimension.values.length)] as DrawnValue;
  const { low, high } = dimension;
  if (dimension.kind === "whole") return low + random.integerBelow(high - low + 1);
  const share = random.uniform();
  const drawn =
    dimension.kind === "linear" ? low + share * (high - low) : exponential(naturalLog(low) + share * (naturalLog(high) - naturalLog(low)));
  return Math.min(Math.max(Number(drawn.toPrecision(DIGITS)), low), high);
}
