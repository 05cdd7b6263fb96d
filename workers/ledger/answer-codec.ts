/**
 * A model's answer as the bytes of a row of `forecasts`. Each says itself what it holds, in three bytes a horizon, so that it can be read whatever became of its model's manifest, and
 * the shipped model (key 0) may be another one after a deployment.
 *
 *   answer   = format (1)  label (0 point, 1 anchored)  horizons (1 … 100)  { layout }  { values }
 *   layout   = grid steps, u16   what there is, u8: 1 bid, 2 mid, 4 ask, 8 interval, 16 odds       horizons rising
 *   values   = of each horizon what there is, in that order, float32: the move in bps; low, high; down, up, threshold
 *
 * All little-endian. Moves come as float32 out of the graph, and are kept as they are; what the calibration says is rounded, to seven digits.
 */

import { FEATURE_INTERVAL_MS } from "../../core/features/contract.ts";
import { LABEL_TARGETS, type LabelTarget } from "../../core/labels/moves.ts";
import type { ForecastAnswer, HorizonAnswer, MoveInterval, MoveOdds, ServedLabel } from "../../core/scoring/forecast-answer.ts";

const FORMAT = 1;
const LABELS: readonly ServedLabel[] = ["point", "anchored"];
/** Far above any model's; a bound so that a hostile row costs little. */
const MAX_HORIZONS = 100;
const MAX_STEPS = 0xffff;
/** Eighteen hours. */
export const LONGEST_HORIZON_MS = MAX_STEPS * FEATURE_INTERVAL_MS;
const HEAD_BYTES = 3;
const LAYOUT_BYTES = 3;
const FLOAT_BYTES = 4;
const INTERVAL = 8;
const ODDS = 16;
const ALL_PARTS = 31;
/** A probability of float32 may lie a rounding beyond. */
const ROUNDING = 1e-6;

/** @throws RangeError for what can't be written: no or too many horizons, horizons off the grid, out of order or without a word, numbers that are not finite. */
export function encodeAnswer({ label, horizons }: ForecastAnswer): Uint8Array {
  if (horizons.length < 1 || horizons.length > MAX_HORIZONS) throw new RangeError(`an answer of ${horizons.length} horizons`);
  const values = horizons.flatMap(valuesOf);
  const wrong = values.find((value) => !Number.isFinite(Math.fround(value)));
  if (wrong !== undefined) throw new RangeError(`an answer that says ${wrong}`);
  const bytes = new Uint8Array(HEAD_BYTES + LAYOUT_BYTES * horizons.length + FLOAT_BYTES * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([FORMAT, LABELS.indexOf(label), horizons.length]);
  let lastSteps = 0;
  horizons.forEach((horizon, at) => {
    const steps = horizon.horizonMs / FEATURE_INTERVAL_MS;
    const parts = partsOf(horizon);
    if (!Number.isInteger(steps) || steps <= lastSteps || steps > MAX_STEPS || parts === 0)
      throw new RangeError(`an answer for ${horizon.horizonMs} ms after ${lastSteps * FEATURE_INTERVAL_MS} ms, of parts ${parts}`);
    lastSteps = steps;
    view.setUint16(HEAD_BYTES + LAYOUT_BYTES * at, steps, true);
    bytes[HEAD_BYTES + LAYOUT_BYTES * at + 2] = parts;
  });
  const start = HEAD_BYTES + LAYOUT_BYTES * horizons.length;
  values.forEach((value, at) => {
    view.setFloat32(start + FLOAT_BYTES * at, value, true);
  });
  return bytes;
}

/** @returns why the bytes are no answer, where they are none. */
export function decodeAnswer(bytes: Uint8Array): ForecastAnswer | { malformed: string } {
  const [format, labelCode, count] = bytes;
  const label = labelCode === undefined ? undefined : LABELS[labelCode];
  if (format !== FORMAT || label === undefined || count === undefined || count < 1 || count > MAX_HORIZONS)
    return { malformed: `no answer begins with ${Array.from(bytes.subarray(0, HEAD_BYTES)).join(" ")}` };
  const start = HEAD_BYTES + LAYOUT_BYTES * count;
  if (bytes.length < start) return { malformed: `${bytes.length} bytes of an answer of ${count} horizons` };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const layouts = Array.from({ length: count }, (_, at) => ({
    steps: view.getUint16(HEAD_BYTES + LAYOUT_BYTES * at, true),
    parts: view.getUint8(HEAD_BYTES + LAYOUT_BYTES * at + 2),
  }));
  const badLayout = layouts.find(
    ({ steps, parts }, at) => steps <= (layouts[at - 1]?.steps ?? 0) || parts === 0 || (parts & ALL_PARTS) !== parts,
  );
  if (badLayout !== undefined) return { malformed: `an answer of ${badLayout.steps} steps and parts ${badLayout.parts}` };
  const width = layouts.reduce((sum, { parts }) => sum + widthOf(parts), 0);
  if (bytes.length !== start + FLOAT_BYTES * width) return { malformed: `${bytes.length} bytes of an answer of ${width} values` };
  const values = Array.from({ length: width }, (_, at) => view.getFloat32(start + FLOAT_BYTES * at, true));
  if (!values.every(Number.isFinite)) return { malformed: "an answer that says what is no number" };
  const take = reader(values);
  const horizons = layouts.map(({ steps, parts }) => horizonOf(steps * FEATURE_INTERVAL_MS, parts, take));
  const absurd = horizons.find(
    ({ odds, interval }) => (odds !== null && !areOdds(odds)) || (interval !== null && interval.lowBps > interval.highBps),
  );
  return absurd === undefined ? { label, horizons } : { malformed: `odds or an interval at ${absurd.horizonMs} ms that can't be` };
}

function areOdds({ down, up, thresholdBps }: MoveOdds): boolean {
  return down >= 0 && up >= 0 && down + up <= 1 + ROUNDING && thresholdBps >= 0;
}

function targetsOf(parts: number): LabelTarget[] {
  return LABEL_TARGETS.filter((_, bit) => (parts & (1 << bit)) !== 0);
}

function widthOf(parts: number): number {
  return targetsOf(parts).length + ((parts & INTERVAL) === 0 ? 0 : 2) + ((parts & ODDS) === 0 ? 0 : 3);
}

function partsOf({ movesBps, interval, odds }: HorizonAnswer): number {
  const targets = LABEL_TARGETS.reduce((bits, target, bit) => bits | (movesBps[target] === null ? 0 : 1 << bit), 0);
  return targets | (interval === null ? 0 : INTERVAL) | (odds === null ? 0 : ODDS);
}

function valuesOf({ movesBps, interval, odds }: HorizonAnswer): number[] {
  const moves = LABEL_TARGETS.flatMap((target) => movesBps[target] ?? []);
  const ends = interval === null ? [] : [interval.lowBps, interval.highBps];
  return [...moves, ...ends, ...(odds === null ? [] : [odds.down, odds.up, odds.thresholdBps])];
}

/** Takes one value after the other; there are as many as the layouts say. */
function reader(values: readonly number[]): () => number {
  let at = 0;
  return () => values[at++] as number;
}

function horizonOf(horizonMs: number, parts: number, take: () => number): HorizonAnswer {
  const movesBps: Record<LabelTarget, number | null> = { bid: null, mid: null, ask: null };
  for (const target of targetsOf(parts)) movesBps[target] = take();
  const interval: MoveInterval | null = (parts & INTERVAL) === 0 ? null : { lowBps: take(), highBps: take() };
  const odds: MoveOdds | null = (parts & ODDS) === 0 ? null : { down: take(), up: take(), thresholdBps: take() };
  return { horizonMs, movesBps, interval, odds };
}
