/**
 * The loss of a run, step by step, as metrics.ndjson has it: one JSON object a line, an epoch of a network, a round of trees or a penalty of lines.
 * Of several ensembles the mean is shown; one that stopped earlier counts with its last round from there on.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { METRICS_FILE } from "../train/run-folder.ts";

export interface CurvePoint {
  /** Epoch or round, from 1; or the penalty. */
  readonly step: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
}

export interface Curve {
  readonly unit: "epoch" | "round" | "penalty";
  readonly points: readonly CurvePoint[];
}

const line = z.object({
  epoch: z.number().optional(),
  round: z.number().optional(),
  lambda: z.number().optional(),
  output: z.string().optional(),
  trainLoss: z.number().nullish(),
  validationLoss: z.number().nullish(),
});

/** Null where there is no such file, or no line of it can be read: a report is made of what is there. */
export async function readCurve(folder: string): Promise<Curve | null> {
  const text = await readFile(join(folder, METRICS_FILE), "utf8").catch(() => null);
  return text === null ? null : parseCurve(text);
}

export function parseCurve(text: string): Curve | null {
  let unit: Curve["unit"] = "epoch";
  const byOutput = new Map<string, CurvePoint[]>();
  for (const row of text.split("\n")) {
    const read = line.safeParse(parseJson(row));
    const step = read.data?.epoch ?? read.data?.round ?? read.data?.lambda;
    if (read.data === undefined || step === undefined) continue;
    if (read.data.epoch === undefined) unit = read.data.round === undefined ? "penalty" : "round";
    const points = byOutput.get(read.data.output ?? "") ?? [];
    points.push({ step, trainLoss: read.data.trainLoss ?? null, validationLoss: read.data.validationLoss ?? null });
    byOutput.set(read.data.output ?? "", points);
  }
  const curves = [...byOutput.values()];
  return curves.length === 0 ? null : { unit, points: curves.length === 1 ? (curves[0] ?? []) : meanCurve(curves) };
}

function meanCurve(curves: readonly (readonly CurvePoint[])[]): CurvePoint[] {
  const steps = Math.max(...curves.map((points) => points.length));
  return Array.from({ length: steps }, (_, index) => {
    const points = curves.flatMap((curve) => curve[Math.min(index, curve.length - 1)] ?? []);
    return {
      step: index + 1,
      trainLoss: meanOf(points.map(({ trainLoss }) => trainLoss)),
      validationLoss: meanOf(points.map(({ validationLoss }) => validationLoss)),
    };
  });
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
