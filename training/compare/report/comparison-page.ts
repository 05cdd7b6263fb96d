/** The page of a comparison: one file, nothing fetched. Every number of it is in compare.json. */

import { calibrationChart, horizonsChart, hoursChart, seriesColor } from "../../report/charts.ts";
import { card, dataTable, factList, type Html, html, legend, page, raw } from "../../report/page.ts";
import type { ComparedResult, Comparison } from "../comparison.ts";
import { ABSENT, decimal, horizonsOfTarget, intervalText, MARKS, minuteOf, percent, pText, r2Text, scoreAt, seconds } from "./numbers.ts";

/** Lines that a chart of eight colours can tell apart. */
const MOST_LINES = 8;
const TARGETS = ["mid", "bid", "ask"] as const;

export function comparisonPage(comparison: Comparison): string {
  const targets = TARGETS.filter((target) => comparison.outputs.some((output) => output.target === target));
  return page("Models compared", [
    html`<h1>Models compared on the same rows</h1>
<p class="lead">${comparison.markets.join(", ")} · ${comparison.source}</p>
`,
    ...comparison.suspicions.map((suspicion) => html`<p class="warning">${suspicion}</p>`),
    factsCard(comparison),
    ...targets.map((target) => scoresCard(comparison, target)),
    html`<div class="grid">${chartCards(comparison)}</div>
`,
    ...horizonsOfTarget(comparison, "mid").map((horizonMs) => measuresCard(comparison, horizonMs)),
    ...slicesCards(comparison),
    freeCard(comparison),
    codedCard(comparison),
    costsCard(comparison),
    notesCard(comparison),
  ]);
}

function factsCard(comparison: Comparison): Html {
  const folds = comparison.folds.map(
    ({ fit, validation, test }, at) =>
      [
        comparison.folds.length === 1 ? "rows" : `fold ${at + 1}`,
        `${fit.rows} fit (${minuteOf(fit.from)} … ${minuteOf(fit.to)}), ${validation.rows} validate (… ${minuteOf(validation.to)}), ${test.rows} scored (${minuteOf(test.from)} … ${minuteOf(test.to)} UTC)`,
      ] as const,
  );
  return card(
    "What was compared",
    factList([
      ["protocol", comparison.protocol],
      ...folds,
      ["settings tried", `${comparison.configurations} in all: the best of many is partly luck`],
      ["label", comparison.label],
      ["data", comparison.data.map(({ features, sha256, rows }) => `${features} ${sha256.slice(0, 12)} (${rows} rows)`).join(", ")],
      ["code", comparison.commit ?? "unknown"],
      ["left out", comparison.refused.length === 0 ? "none" : comparison.refused.map(({ id, reason }) => `${id}: ${reason}`).join("; ")],
    ]),
  );
}

function scoresCard(comparison: Comparison, target: string): Html {
  const horizons = horizonsOfTarget(comparison, target);
  const rows = comparison.models.map((model) => [
    html`<span title="${model.title}">${model.id}</span>`,
    ...horizons.map((horizonMs) => {
      const score = scoreAt(model, target, horizonMs);
      return `${r2Text(score)}${intervalText(score)}`;
    }),
  ]);
  return card(
    `R² of the ${target} against persistence`,
    dataTable(["model", ...horizons.map(seconds)], rows),
    `In brackets 95 % by block bootstrap. ${MARKS}.`,
  );
}

function chartCards(comparison: Comparison): Html[] {
  const shown = bestModels(comparison).slice(0, MOST_LINES);
  const series = shown.map(({ scores }) => scores.filter(({ target }) => target === "mid"));
  const [best] = shown;
  const hours = best?.slices.filter(({ by, horizonMs }) => by === "hour" && horizonMs === middleHorizon(comparison)) ?? [];
  const calibration = best === undefined ? null : scoreAt(best, "mid", middleHorizon(comparison));
  return [
    card(
      "The best, by horizon",
      html`${legend(shown.map(({ id }, at) => [id, seriesColor(at)] as const))}${raw(horizonsChart(series))}`,
      "Of the mid; in the order of their mean R².",
    ),
    ...(best === undefined || hours.length === 0
      ? []
      : [card(`${best.id} by hour`, raw(hoursChart(hours)), `R² of the mid in ${seconds(middleHorizon(comparison))}.`)]),
    ...(best === undefined || calibration === null || calibration.calibration.length === 0
      ? []
      : [
          card(
            `${best.id}: does two basis points mean two?`,
            raw(calibrationChart(calibration.calibration)),
            `The mid in ${seconds(middleHorizon(comparison))}: mean outcome by mean forecast, two standard errors up and down.`,
          ),
        ]),
  ];
}

function measuresCard(comparison: Comparison, horizonMs: number): Html {
  const rows = comparison.models.map((model) => {
    const score = scoreAt(model, "mid", horizonMs);
    const classes = score?.classes ?? null;
    const hits = score?.directionHitRate ?? null;
    return [
      model.id,
      r2Text(score),
      percent(score?.rmseSkill),
      percent(score?.maeSkill),
      hits === null ? ABSENT : `${hits.toFixed(3)} of ${score?.moves}`,
      decimal(score?.correlation),
      decimal(classes?.macroF1),
      decimal(classes?.mcc),
      decimal(classes?.logLoss),
      decimal(classes?.brier),
      score?.coverage == null ? ABSENT : `${(100 * score.coverage.held).toFixed(1)} %`,
      pText(score?.againstRidge ?? null),
    ];
  });
  return card(
    `The mid in ${seconds(horizonMs)}`,
    dataTable(
      [
        "model",
        "R²",
        "RMSE skill",
        "MAE skill",
        "direction given a move",
        "correlation",
        "macro-F1",
        "MCC",
        "log-loss",
        "Brier",
        "held of 90 %",
        "p against ridge",
      ],
      rows,
    ),
    "Classes down, flat, up by a third of the fit rows' moves; probabilities and intervals by bins of the validation rows, or the model's own. Persistence's log-loss is that of the shares.",
  );
}

function slicesCards(comparison: Comparison): Html[] {
  const horizonMs = middleHorizon(comparison);
  return (["volatility", "spread"] as const).flatMap((by) => {
    const shown = bestModels(comparison).filter(({ slices }) => slices.some((slice) => slice.by === by && slice.horizonMs === horizonMs));
    if (shown.length === 0) return [];
    const names = ["low", "middle", "high"];
    const rows = shown.map((model) => [
      model.id,
      ...names.map((name) => {
        const slice = model.slices.find((one) => one.by === by && one.slice === name && one.horizonMs === horizonMs);
        return slice === undefined ? ABSENT : `${decimal(slice.r2)} (${slice.rows})`;
      }),
    ]);
    return [
      card(
        `By ${by}: R² of the mid in ${seconds(horizonMs)} (rows)`,
        dataTable(["model", ...names], rows),
        "Thirds of the fit rows; the rows that are scored may lie otherwise.",
      ),
    ];
  });
}

function freeCard({ free }: Comparison): Html {
  if (free.length === 0) return html``;
  const rows = free.map((one) => [
    one.label,
    seconds(one.horizonMs),
    decimal(one.r2.momentum),
    decimal(one.r2.ridge),
    decimal(one.free),
    String(one.rows),
  ]);
  return card(
    "What a label gives away",
    dataTable(["label", "horizon", "momentum", "ridge", "free on a random walk", "rows"], rows),
    "The same lines on the same rows: R² of the mid by the kind of label. A smoothed label begins at a mean of the past; its last column is what the past alone explains of it on a pure random walk.",
  );
}

function codedCard({ coded }: Comparison): Html {
  if (coded.length === 0) return html``;
  const micros = (value: number | null): string => (value === null ? ABSENT : `${value.toFixed(0)} µs`);
  const rows = coded.map((one) => [
    `${one.coded} / ${one.plain}`,
    ...one.microseconds.map(micros),
    ...one.r2.map((value) => decimal(value)),
    one.isOnByDefault ? "on" : "off",
  ]);
  return card(
    "The autoencoder",
    dataTable(["coded / without", "a forecast, coded", "without", "mean R², coded", "without", "the code is by default"], rows),
    "On only where it is faster at no loss of skill.",
  );
}

function costsCard(comparison: Comparison): Html {
  const rows = comparison.models.map(({ id, costs: { fitSeconds, served } }) => [
    id,
    `${fitSeconds.toFixed(0)} s`,
    ...(served === null
      ? [ABSENT, ABSENT, ABSENT, ABSENT]
      : [
          `${served.medianMicroseconds.toFixed(0)} µs`,
          `${served.p99Microseconds.toFixed(0)} µs`,
          `${(served.bytes / 1_024).toFixed(0)} kB`,
          `${served.memoryMb.toFixed(1)} MB`,
        ]),
  ]);
  return card(
    "What each costs",
    dataTable(["model", "to fit", "a forecast, median", "p99", "file", "memory"], rows),
    "Of the served file by onnxruntime, one row a call, in a process of its own, on the machine that compared: other machines have other numbers.",
  );
}

function notesCard({ models }: Comparison): Html {
  return card(
    "What validation chose",
    factList(
      models.map(
        ({ id, title, notes, isRefitted }) =>
          [id, [`${title}${isRefitted ? "; fitted again on fit and validation rows" : ""}`, ...notes.flat()].join(". ")] as const,
      ),
    ),
  );
}

/** By their mean R² of the mid; who has no score comes last. */
function bestModels({ models }: Comparison): ComparedResult[] {
  const meanOf = ({ scores }: ComparedResult): number => {
    const mids = scores.filter(({ target }) => target === "mid");
    return mids.length === 0 ? Number.NEGATIVE_INFINITY : mids.reduce((sum, { r2 }) => sum + r2, 0) / mids.length;
  };
  return models.toSorted((one, other) => meanOf(other) - meanOf(one));
}

/** The horizon that slices and charts are shown of. */
function middleHorizon(comparison: Comparison): number {
  const horizons = horizonsOfTarget(comparison, "mid");
  return horizons[Math.floor((horizons.length - 1) / 2)] ?? 0;
}
