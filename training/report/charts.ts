/**
 * Charts as SVG text, by Observable Plot on a document that lives in memory (linkedom): no browser, nothing fetched, the same text from the same
 * numbers. Colours are variables of the page, so that one chart serves light and dark. This is the only file that imports either package.
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { CalibrationBin } from "../evaluate/calibration.ts";
import type { ReliabilityBin } from "../evaluate/class-scores.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { type Importance, usedColumns } from "../train/run-importance.ts";
import type { Curve } from "./curve.ts";

/** As wide as a phone shows at its own size; wider screens enlarge it. */
const WIDTH = 360;
const HEIGHT = 240;
/** Of series that lie over each other, in order; page.ts says which colours these are. */
const SERIES = 8;
const MOST_BARS = 20;
/** Longer names would leave no room for the bars. */
const LONGEST_NAME = 20;

const { document } = parseHTML("<!doctype html><html><body></body></html>");

/** Losses of one run by epoch or round. @param best the step that was kept. */
export function lossChart(curve: Curve, best: number | null): string {
  const series = [
    { name: "train", color: "var(--train)", points: named(curve, "trainLoss") },
    { name: "validation", color: "var(--validation)", points: named(curve, "validationLoss") },
  ].filter(({ points }) => points.length > 0);
  return draw({
    ariaLabel: `training and validation loss by ${curve.unit}`,
    x: curve.unit === "penalty" ? { label: "penalty", type: "log", tickFormat: String } : { label: curve.unit, tickFormat: wholeOnly },
    y: { label: "loss", grid: true, nice: true },
    marks: [
      ...(best === null ? [] : [Plot.ruleX([best], { stroke: "currentColor", strokeOpacity: 0.4, strokeDasharray: "3,3" })]),
      ...series.flatMap(({ points, color }) => [
        Plot.lineY(points, { x: "step", y: "loss", stroke: color, strokeWidth: 2 }),
        ...(points.length <= 40 ? [Plot.dot(points, { x: "step", y: "loss", fill: color, r: 2.5 })] : []),
      ]),
    ],
  });
}

/** Validation losses of several runs over each other; the n-th has the colour --series-n. */
export function curvesChart(curves: readonly (Curve | null)[]): string {
  const unit = curves.find((curve) => curve !== null)?.unit ?? "epoch";
  return draw({
    ariaLabel: `validation loss of ${curves.length} runs by ${unit}`,
    x: { label: unit, ...(unit === "penalty" ? {} : { tickFormat: wholeOnly }) },
    y: { label: "validation loss", grid: true, nice: true },
    marks: curves.flatMap((curve, index) =>
      curve === null
        ? []
        : [
            Plot.lineY(named(curve, "validationLoss"), { x: "step", y: "loss", stroke: seriesColor(index), strokeWidth: 2 }),
            Plot.dot(named(curve, "validationLoss").slice(-1), { x: "step", y: "loss", fill: seriesColor(index), r: 3 }),
          ],
    ),
  });
}

/** R² by horizon, with its interval, and ridge's as a bar across. 0 is "the price stays". */
export function scoresChart(scores: readonly DetailedScore[]): string {
  const rows = scores.map((score) => ({ ...score, horizon: seconds(score.horizonMs) }));
  const horizons = [
    ...new Map(rows.toSorted((one, other) => one.horizonMs - other.horizonMs).map(({ horizon }) => [horizon, horizon])).values(),
  ];
  return draw({
    ariaLabel: "R² by horizon, with intervals, beside ridge",
    fx: { label: null, domain: [...new Set(rows.map(({ target }) => target))] },
    x: { domain: horizons, label: "seconds ahead" },
    y: { label: "R²", grid: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
      Plot.ruleX(rows, { fx: "target", x: "horizon", y1: "r2Low", y2: "r2High", stroke: "var(--validation)", strokeWidth: 2 }),
      Plot.dot(rows, { fx: "target", x: "horizon", y: "r2", fill: "var(--validation)", r: 4 }),
      Plot.tickY(rows, { fx: "target", x: "horizon", y: "ridgeR2", stroke: "var(--train)", strokeWidth: 3 }),
    ],
  });
}

/** R² by horizon of several models over each other; the n-th has the colour --series-n. 0 is "the price stays". */
export function horizonsChart(models: readonly (readonly { readonly horizonMs: number; readonly r2: number }[])[]): string {
  const horizons = [...new Set(models.flat().map(({ horizonMs }) => horizonMs))].sort((one, other) => one - other).map(seconds);
  return draw({
    ariaLabel: `R² of ${models.length} models by horizon`,
    x: { domain: horizons, label: "seconds ahead", type: "point" },
    y: { label: "R²", grid: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
      ...models.flatMap((scores, index) => {
        const points = scores.map(({ horizonMs, r2 }) => ({ horizon: seconds(horizonMs), r2 }));
        return [
          Plot.lineY(points, { x: "horizon", y: "r2", stroke: seriesColor(index), strokeWidth: 2 }),
          Plot.dot(points, { x: "horizon", y: "r2", fill: seriesColor(index), r: 3 }),
        ];
      }),
    ],
  });
}

/** R² of one model by hour of the day, UTC. */
export function hoursChart(hours: readonly { readonly slice: string; readonly r2: number }[]): string {
  return draw({
    ariaLabel: "R² by hour of the day",
    x: { domain: hours.map(({ slice }) => slice), label: "hour, UTC", tickFormat: (hour: string) => (Number(hour) % 3 === 0 ? hour : "") },
    y: { label: "R²", grid: true, nice: true },
    marks: [
      Plot.barY(hours, { x: "slice", y: "r2", fill: "var(--validation)" }),
      Plot.ruleY([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
    ],
  });
}

/** Mean outcome for each part of the forecasts, two standard errors up and down, beside the line on which they'd be equal. */
export function calibrationChart(bins: readonly CalibrationBin[]): string {
  const forecasts = bins.map((bin) => bin.forecast);
  const ends = [Math.min(...forecasts), Math.max(...forecasts)];
  const rows = bins.map((bin) => ({ ...bin, low: bin.outcome - 2 * bin.outcomeError, high: bin.outcome + 2 * bin.outcomeError }));
  return draw({
    ariaLabel: "mean outcome by mean forecast",
    x: { label: "forecast, bps" },
    y: { label: "outcome, bps", grid: true, nice: true },
    marks: [
      Plot.line(
        ends.map((end) => [end, end]),
        { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "4,3" },
      ),
      Plot.ruleX(rows, { x: "forecast", y1: "low", y2: "high", stroke: "var(--validation)", strokeOpacity: 0.6 }),
      Plot.dot(rows, { x: "forecast", y: "outcome", fill: "var(--validation)", r: 3.5 }),
    ],
  });
}

/** How often the class that was said came, by the probability it was given, with how many rows it was said of, beside the line on which they'd be equal. */
export function reliabilityChart(bins: readonly ReliabilityBin[]): string {
  return draw({
    ariaLabel: "how often what was said came, by its probability",
    x: { label: "probability", domain: [0, 1] },
    y: { label: "came", domain: [0, 1], grid: true },
    marks: [
      Plot.line(
        [
          [0, 0],
          [1, 1],
        ],
        { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "4,3" },
      ),
      Plot.dot(bins, { x: "probability", y: "share", fill: "var(--validation)", r: 4 }),
      // A point of a few rows may lie anywhere.
      Plot.text(bins, {
        x: "probability",
        y: "share",
        text: ({ rows }: ReliabilityBin) => String(rows),
        dy: -11,
        fontSize: 10,
        fill: "currentColor",
      }),
    ],
  });
}

/** The largest by size, with their sign; columns of 0 are left out. */
export function importanceChart(importance: Importance): string {
  const rows = usedColumns(importance)
    .toSorted((one, other) => Math.abs(other.value) - Math.abs(one.value))
    .slice(0, MOST_BARS);
  const names = new Map(
    rows.map(({ column }) => [column, column.length > LONGEST_NAME ? `${column.slice(0, LONGEST_NAME - 1)}…` : column]),
  );
  return draw({
    ariaLabel: "columns by importance",
    height: 72 + 18 * rows.length,
    marginLeft: 12 + 6.6 * Math.max(1, ...[...names.values()].map((name) => name.length)),
    x: { label: importance.measure, grid: true },
    y: { label: null, domain: rows.map(({ column }) => column), tickFormat: (column: string) => names.get(column) ?? column },
    marks: [
      Plot.barX(rows, { x: "value", y: "column", fill: "var(--validation)" }),
      Plot.ruleX([0], { stroke: "currentColor", strokeOpacity: 0.5 }),
    ],
  });
}

/** There is no half of an epoch or round. */
function wholeOnly(step: number): string {
  return Number.isInteger(step) ? String(step) : "";
}

export function seriesColor(index: number): string {
  return `var(--series-${(index % SERIES) + 1})`;
}

function draw(options: Plot.PlotOptions): string {
  const svg: unknown = Plot.plot({
    document,
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 52,
    marginBottom: 42,
    inset: 6,
    style: { fontSize: "12px" },
    ...options,
  });
  return String(svg);
}

function named(curve: Curve, loss: "trainLoss" | "validationLoss"): { step: number; loss: number }[] {
  // The scale of penalties is one of orders of magnitude, where 0 has no place.
  const shown = curve.unit === "penalty" ? curve.points.filter(({ step }) => step > 0) : curve.points;
  return shown.flatMap((point) => (point[loss] === null ? [] : [{ step: point.step, loss: point[loss] }]));
}

function seconds(horizonMs: number): string {
  return String(horizonMs / 1_000);
}
