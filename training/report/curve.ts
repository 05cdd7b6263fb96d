/** The loss of a run, step by step, as metrics.ndjson has it: one JSON object a line, an epoch of a network or a round of trees. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { METRICS_FILE } from "../train/run-folder.ts";

export interface CurvePoint {
  /** Epoch or round, from 1. */
  readonly step: number;
  readonly trainLoss: number | null;
  readonly validationLoss: number | null;
}

export interface Curve {
  readonly unit: "epoch" | "round";
  readonly points: readonly CurvePoint[];
}

const line = z.object({
  epoch: z.number().optional(),
  round: z.number().optional(),
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
  const points: CurvePoint[] = [];
  for (const row of text.split("\n")) {
    const read = line.safeParse(parseJson(row));
    const step = read.data?.epoch ?? read.data?.round;
    if (read.data === undefined || step === undefined) continue;
    if (read.data.epoch === undefined) unit = "round";
    points.push({ step, trainLoss: read.data.trainLoss ?? null, validationLoss: read.data.validationLoss ?? null });
  }
  return points.length === 0 ? null : { unit, points };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
