/**
 * The report of one run: a page to hand round, made of what lies in its folder. What is absent is left out, or said to be missing where a reader
 * would look for it: scores that were never taken, above all.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suspicionsOf } from "../evaluate/evaluate-run.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { calibrationChart, importanceChart, lossChart, scoresChart } from "./charts.ts";
import { flatten } from "./flatten.ts";
import { ridgeImportance } from "./importance.ts";
import { card, dataTable, factList, type Html, html, legend, page, raw } from "./page.ts";
import { errorText, type RunFacts, readRunFacts } from "./run-facts.ts";

export const REPORT_FILE = "report.html";
/** Charts of single outputs show the mid alone: bid and ask move with it. */
const SHOWN_TARGET = "mid";

/** Writes the page, into the run's folder unless told where. @returns its path. Throws CommandError when the folder holds no run. */
export async function writeReport(folder: string, options: { out?: string } = {}): Promise<string> {
  const path = options.out ?? join(folder, REPORT_FILE);
  await writeFile(path, renderRun(await readRunFacts(folder)));
  return path;
}

export function renderRun(facts: RunFacts): string {
  const { run, evaluation } = facts;
  const warnings = warningsOf(facts);
  return page(`${facts.name}: ${run.card.family}`, [
    html`<h1>${facts.name}</h1>
<p class="lead">${run.card.family} on ${run.card.data.source}, ${run.card.split.trainRows} training rows</p>
`,
    ...warnings.map((warning) => html`<p class="warning">${warning}</p>`),
    html`<div class="grid">${[lossCard(facts), scoresCard(facts), ...calibrationCards(facts), ...importanceCards(facts)]}</div>
`,
    ...(evaluation === null ? [] : [scoreTableCard("Scores on rows that training never saw", evaluation.scores)]),
    ...(evaluation?.byPart ?? []).map((part) => scoreTableCard(`${part.market} alone (${part.source})`, part.scores)),
    html`<div class="grid">${[validationCard(facts), settingsCard(facts), dataCard(facts), originCard(facts)]}</div>
`,
  ]);
}

function warningsOf({ run, evaluation }: RunFacts): string[] {
  const { card } = run;
  return [
    ...(evaluation === null ? [] : suspicionsOf(evaluation)),
    ...(card.bestEpoch === 0 ? ["No epoch was better than the start on the validation rows: this run has learnt nothing."] : []),
    ...(card.commit?.endsWith("-dirty") ? ["The code that trained it differs from its commit."] : []),
  ];
}

function lossCard({ curve, run }: RunFacts): Html {
  if (curve === null) return card("Loss", html`<p class="note">No curve was kept.</p>`);
  const best = run.card.bestEpoch > 0 ? run.card.bestEpoch : null;
  const chart = raw(lossChart(curve, best));
  const note = `In units of each target's scale: persistence has about 1.${best === null ? "" : ` The dashed ${curve.unit}, ${best}, was kept.`}`;
  return card(
    "Loss",
    html`${legend([
      ["training", "var(--train)"],
      ["validation", "var(--validation)"],
    ])}${chart}`,
    note,
  );
}

function scoresCard({ evaluation, folder }: RunFacts): Html {
  const title = "R² against persistence, by horizon";
  if (evaluation === null) return card(title, html`<p>Not scored yet: <code>edgebook evaluate --run ${folder}</code></p>`);
  if (evaluation.scores.length === 0) return card(title, html`<p>Too few rows to score.</p>`);
  return card(
    title,
    html`${legend([
      ["model, with its 95 % interval", "var(--validation)"],
      ["ridge", "var(--train)"],
    ])}${raw(scoresChart(evaluation.scores))}`,
    "0 is “the price stays”. Intervals by block bootstrap.",
  );
}

function calibrationCards({ evaluation }: RunFacts): Html[] {
  const note =
    "Rows in order of their forecast, cut into equal parts: mean forecast and mean outcome of each, ± 2 standard errors. On the dashed line a forecast means what it says.";
  return (evaluation?.scores ?? [])
    .filter((score) => score.target === SHOWN_TARGET && (score.calibration?.length ?? 0) > 1)
    .map(({ calibration = [], horizonMs }, index) =>
      card(`Forecast and outcome: ${SHOWN_TARGET} in ${horizonMs / 1_000} s`, raw(calibrationChart(calibration)), index === 0 ? note : ""),
    );
}

function importanceCards({ run, importance }: RunFacts): Html[] {
  const { card: known, ridgeWeights } = run;
  const output = known.outputs.findIndex(({ target }) => target === SHOWN_TARGET);
  const column = known.outputs[output];
  const measure = "weight in the ridge line";
  const ridge = ridgeImportance(ridgeWeights, { columns: known.featureSet.columns, output, measure });
  return [
    ...(importance === null ? [] : [card("What the model looks at", raw(importanceChart(importance)))]),
    ...(ridge === null || column === undefined
      ? []
      : [
          card(
            `What the ridge line looks at: ${column.target} in ${column.horizonMs / 1_000} s`,
            raw(importanceChart(ridge)),
            "The twenty largest. Inputs have variance 1, so weights compare; columns that tell the same share theirs, or pull against each other.",
          ),
        ]),
  ];
}

function scoreTableCard(title: string, scores: readonly DetailedScore[]): Html {
  const head = ["target", "horizon", "R²", "95 %", "ridge R²", "RMSE skill", "direction given a move", "p against ridge", "rows"];
  const rows = scores.map((score) => [
    score.target,
    `${score.horizonMs / 1_000} s`,
    signed(score.r2),
    `${signed(score.r2Low)} … ${signed(score.r2High)}`,
    signed(score.ridgeR2),
    `${signed(score.rmseSkill * 100, 2)} %`,
    score.directionHitRate === null ? "no moves" : `${(score.directionHitRate * 100).toFixed(1)} % of ${score.moves}`,
    score.againstRidge === null
      ? "no test"
      : `${score.againstRidge.pValue.toFixed(3)} ${score.againstRidge.isModelBetter ? "better" : "worse"}`,
    String(score.rows),
  ]);
  return card(
    title,
    dataTable(head, rows),
    "Persistence, “the price stays”, has R² 0 by definition. p: Diebold and Mariano, corrected for overlap; each row is a test of its own, so one of twenty comes out by luck.",
  );
}

function validationCard({ run }: RunFacts): Html {
  const { network, ridge, persistence } = run.card.validation;
  return card(
    "Validation error",
    factList([
      ["model", errorText(network)],
      ["ridge", errorText(ridge)],
      ["persistence", errorText(persistence)],
      ["ridge's λ", [...new Set(run.card.ridgeLambdas.map((lambda) => (lambda === null ? "no line" : String(lambda))))].join(", ")],
    ]),
    "Mean squared error in units of each target's scale. Validation chose when to stop and λ, so it flatters both.",
  );
}

function settingsCard({ run }: RunFacts): Html {
  const parameters = run.card.slots.reduce((sum, slot) => sum + slot.size, 0);
  return card(
    "Settings",
    factList([
      ["model", run.card.family],
      ["parameters", String(parameters)],
      ...flatten(run.card.settings),
      ["targets are cut at", `${run.card.targetClip} root mean squares`],
      ["inputs are cut at", `${run.card.normaliser.clip} standard deviations`],
    ]),
  );
}

function dataCard({ run, evaluation }: RunFacts): Html {
  const { data, split, featureSet, intervalMs } = run.card;
  return card(
    "Data",
    factList([
      ["source", data.source],
      ["SHA-256", data.sha256],
      ...data.markets.map(({ market, from, to }): [string, string] => [market, `${when(from)} … ${when(to)}`]),
      ["features", `${featureSet.id} ${featureSet.fingerprint}, ${featureSet.columns.length} columns`],
      ["a row each", `${intervalMs} ms`],
      ["trained", `${split.trainRows} rows, ${when(split.trainFrom)} … ${when(split.trainTo)}`],
      ["validated", `${split.validationRows} rows from ${when(split.validationFrom)}`],
      ["purged at each boundary", `${split.purgeMs / 1_000} s`],
      ...(evaluation === null
        ? []
        : ([
            ["scored", `${evaluation.rows} rows, ${when(evaluation.from)} … ${when(evaluation.to)}`],
            ["scored on", `${evaluation.source}, ${evaluation.datasetSha256}`],
          ] satisfies [string, string][])),
    ]),
  );
}

function originCard({ run, evaluation, environment }: RunFacts): Html {
  const { commit, backend, files, format } = run.card;
  return card(
    "How it was made",
    factList([
      ["trained by commit", commit ?? "unknown"],
      ...(evaluation === null ? [] : ([["scored by commit", evaluation.commit ?? "unknown"]] satisfies [string, string][])),
      ["backend", backend],
      ...Object.entries(environment ?? {}),
      ...flatten(files, "SHA-256"),
      ["format", format],
      ["this page", `Node ${process.versions.node}, ${process.platform} ${process.arch}`],
    ]),
  );
}

function signed(value: number, digits = 4): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`;
}

function when(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
