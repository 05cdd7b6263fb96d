/**
 * The report of one run: a page to hand round, made of what lies in its folder. What is absent is left out, or said to be missing where a reader
 * would look for it: scores that were never taken, above all.
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { labelKindOf } from "../../core/labels/moves.ts";
import type { ClassMeasures, ClassScore } from "../evaluate/class-scores.ts";
import { type Evaluation, suspicionsOf } from "../evaluate/evaluate-run.ts";
import type { ReconstructionScore } from "../evaluate/reconstruction-score.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import type { RunCard } from "../train/run-card.ts";
import { REPORT_FILE, type Run } from "../train/run-folder.ts";
import { type Importance, PERMUTATION_MEASURE, ridgeImportance, usedColumns } from "../train/run-importance.ts";
import { calibratedCards } from "./calibrated-cards.ts";
import { calibrationChart, importanceChart, lossChart, reliabilityChart, scoresChart } from "./charts.ts";
import { flatten } from "./flatten.ts";
import { card, dataTable, factList, type Html, html, legend, page, raw } from "./page.ts";
import { errorText, type RunFacts, readRunFacts } from "./run-facts.ts";
import { signed } from "./signed.ts";

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
    ...(evaluation === null ? [] : scoreTableCards("Scores on rows that training never saw", evaluation)),
    ...(evaluation?.byPart ?? []).flatMap((part) => scoreTableCards(`${part.market} alone (${part.source})`, part)),
    ...calibratedCards(evaluation?.calibrated ?? []),
    ...reconstructionCards(evaluation?.reconstruction ?? null),
    html`<div class="grid">${[validationCard(facts), settingsCard(facts), dataCard(facts), originCard(facts)]}</div>
`,
  ]);
}

function warningsOf({ run, evaluation }: RunFacts): string[] {
  const { card } = run;
  return [
    ...(evaluation === null ? [] : suspicionsOf(evaluation)),
    ...(isUntaught(card) ? [untaughtWarning(card)] : []),
    ...(card.commit?.endsWith("-dirty") ? ["The code that trained it differs from its commit."] : []),
  ];
}

function lossCard({ curve, run }: RunFacts): Html {
  if (curve === null) return card("Loss", html`<p class="note">No curve was kept.</p>`);
  const best = bestStepOf(run.card);
  const chart = raw(lossChart(curve, best));
  const { persistence } = run.card.validation;
  const unit =
    run.card.model.answer === "moves"
      ? `In units of each target's scale in training, where persistence has about 1; on the validation rows it has ${persistence.toFixed(5)}.`
      : "";
  const shown = curve.unit === "round" ? " The mean of all ensembles; one that stopped counts with its last round." : "";
  const note = `${unit}${shown}${best === null ? "" : ` The dashed ${curve.unit}, ${best}, was kept.`}`;
  return card(
    "Loss",
    html`${legend([
      ["training", "var(--train)"],
      ["validation", "var(--validation)"],
    ])}${chart}`,
    note,
  );
}

/** Null where nothing was kept, or each of several ensembles kept its own. */
function bestStepOf(card: RunCard): number | null {
  if (card.kind === "network") return card.bestEpoch > 0 ? card.bestEpoch : null;
  if (card.kind === "lines") return null;
  const best = card.ensembles.flatMap((ensemble) => ensemble?.bestRound ?? []);
  return best.length === 1 && best[0] !== 0 ? (best[0] ?? null) : null;
}

/** What the model is as it began: no move, or the shares of the classes. */
function isUntaught(card: RunCard): boolean {
  if (card.kind === "network") return card.bestEpoch === 0;
  if (card.kind === "lines") return card.lambdas.every((lambda) => lambda === null);
  return card.ensembles.every((ensemble) => ensemble === null || ensemble.bestRound === 0);
}

function untaughtWarning(card: RunCard): string {
  return card.kind === "trees" && card.line !== undefined
    ? "No tree made the line better on the validation rows: this run is the line alone."
    : "Nothing was better than the start on the validation rows: this run has learnt nothing.";
}

function sizeOf(run: Run): [string, string][] {
  if (run.kind === "network") return [["parameters", String(run.parameters.length)]];
  if (run.kind === "lines") return [["weights", String(run.weights.length)]];
  const trees = run.ensembles.map((ensemble) => ensemble?.trees.length ?? 0);
  const size: [string, string] = [
    "trees",
    `${trees.reduce((sum, count) => sum + count, 0)} in ${trees.filter((count) => count > 0).length} ensembles`,
  ];
  return run.line === null ? [size] : [["weights of the line", String(run.line.weights.length)], size];
}

function scoresCard({ evaluation, folder }: RunFacts): Html {
  const title = "R² against persistence, by horizon";
  if (evaluation === null) return card(title, html`<p>Not scored yet: <code>edgebook evaluate --run ${folder}</code></p>`);
  if (evaluation.classes !== undefined || evaluation.reconstruction !== undefined) return html``;
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

/** A card for each measure; all in one where there is a single column to tell of, since one bar has nothing to be compared with. */
function importanceOf(importance: readonly Importance[]): Html[] {
  const used = importance.map(usedColumns);
  if (used.every(({ length }) => length <= 1)) {
    const facts = importance.flatMap(({ measure }, index) =>
      (used[index] ?? []).map(({ column, value }): [string, string] => [column, `${measure} ${Number(value.toPrecision(4))}`]),
    );
    return facts.length === 0 ? [] : [card("What the model looks at", factList(facts), "One column alone.")];
  }
  return importance.map((one) => card(`What the model looks at: ${one.measure}`, raw(importanceChart(one)), noteOn(one)));
}

function noteOn(importance: Importance): string {
  const unused = importance.columns.length - usedColumns(importance).length;
  return [
    ...(importance.measure === PERMUTATION_MEASURE
      ? ["How much the validation loss rises when a column's values are dealt to other rows."]
      : []),
    ...(unused > 0 ? [`Columns with 0: ${unused}.`] : []),
  ].join(" ");
}

function importanceCards({ run, importance }: RunFacts): Html[] {
  const { card: known, ridgeWeights } = run;
  // Lines of classes have a column for each label, and no one of them stands for the model.
  const output = known.model.answer === "moves" ? known.outputs.findIndex(({ target }) => target === SHOWN_TARGET) : -1;
  const column = known.outputs[output];
  const measure = "weight in the ridge line";
  const ridge = output < 0 ? null : ridgeImportance(ridgeWeights, { columns: known.featureSet.columns, output, measure });
  return [
    ...importanceOf(importance),
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

function scoreTableCards(title: string, { scores, classes }: Pick<Evaluation, "scores" | "classes">): Html[] {
  if (classes === undefined) return scores.length === 0 ? [] : [scoreTableCard(title, scores)];
  return classes.map((score) => classCard(title, score));
}

/** One question: the model beside what needs none, what came beside what was said, and whether its probabilities mean what they say. */
function classCard(title: string, { target, asks, horizonMs, labels, rows, model, intervals, ...score }: ClassScore): Html {
  const names = ["accuracy", "macroF1", "mcc", "logLoss", "brier"] as const;
  const plain = (name: string, of: ClassMeasures): string[] => [name, ...names.map((each) => measureText(of[each]))];
  const intervalOf = (name: (typeof names)[number]): string => {
    const interval = intervals[name];
    return interval === null ? "–" : `${measureText(interval.low)} … ${measureText(interval.high)}`;
  };
  const body = [
    plain("model", model),
    ["95 %", ...names.map(intervalOf)],
    ...(score.logistic === null ? [] : [plain("logistic line", score.logistic)]),
    plain("last class known", score.persistence),
    plain("commonest class", score.majority),
  ];
  const confusion = score.confusion.map((said, came) => [`${labels[came]} came`, ...said.map(String)]);
  const asked = asks === "move" ? `${target} in ${horizonMs / 1_000} s` : `next change of the ${target} within ${horizonMs / 1_000} s`;
  return card(
    `${title}: ${asked}, ${rows} rows`,
    html`${dataTable(["", "accuracy", "macro-F1", "MCC", "log-loss", "Brier"], body)}
<div class="grid">${dataTable(["", ...labels.map((label) => `said ${label}`)], confusion)}${raw(reliabilityChart(score.calibration))}</div>`,
    "The commonest class is that of these very rows, which nobody knew beforehand. MCC: Matthews' correlation, 0 for whoever always says the same. The chart: how often what was said came, by its probability, with how many rows each point is of; on the dashed line a probability means what it says.",
  );
}

function reconstructionCards(score: ReconstructionScore | null): Html[] {
  if (score === null) return [];
  const { error, meanError, r2, r2Low, r2High, columns } = score;
  const rows = columns.map((one) => [one.column, one.error.toFixed(4), one.meanError.toFixed(4), signed(one.r2)]);
  return [
    card(
      `What comes back of ${score.rows} rows that training never saw`,
      html`${factList([
        ["error", error.toFixed(4)],
        ["error of the columns' means", meanError.toFixed(4)],
        ["R² beside the mean", `${signed(r2)} (${signed(r2Low)} … ${signed(r2High)})`],
      ])}${dataTable(["column, the worst first", "error", "error of the mean", "R²"], rows)}`,
      "Mean squared errors in squared standard deviations of the training rows.",
    ),
  ];
}

function measureText(value: number | null): string {
  return value === null ? "–" : signed(value, 3);
}

function scoreTableCard(title: string, scores: readonly DetailedScore[]): Html {
  const head = [
    "target",
    "horizon",
    "R²",
    "95 %",
    "ridge R²",
    "RMSE skill",
    "RMSE",
    "MAE",
    "direction given a move",
    "p against ridge",
    "rows",
  ];
  const rows = scores.map((score) => [
    score.target,
    `${score.horizonMs / 1_000} s`,
    signed(score.r2),
    `${signed(score.r2Low)} … ${signed(score.r2High)}`,
    signed(score.ridgeR2),
    `${signed(score.rmseSkill * 100, 2)} %`,
    errorCell(score.errors?.rmseBps, score.errors?.rmseTicks),
    errorCell(score.errors?.maeBps, score.errors?.maeTicks),
    score.directionHitRate === null ? "no moves" : `${(score.directionHitRate * 100).toFixed(1)} % of ${score.moves}`,
    score.againstRidge === null
      ? "no test"
      : `${score.againstRidge.pValue < 0.001 ? "<.001" : score.againstRidge.pValue.toFixed(3)} ${score.againstRidge.isModelBetter ? "better" : "worse"}`,
    String(score.rows),
  ]);
  return card(
    title,
    dataTable(head, rows),
    "Persistence, “the price stays”, has R² 0 by definition. p: Diebold and Mariano, corrected for overlap; each row is a test of its own, so one of twenty comes out by luck.",
  );
}

/** "0.5123 bps, 4.12 ticks". Scores from before there were errors have none. */
function errorCell(bps: number | undefined, ticks: number | null | undefined): string {
  if (bps === undefined) return "–";
  return ticks == null ? `${bps.toFixed(4)} bps` : `${bps.toFixed(4)} bps, ${ticks.toFixed(3)} ticks`;
}

const ERROR_NOTES: Readonly<Record<string, string>> = {
  moves: "Mean squared error in units of each target's scale.",
  classes: "Cross-entropy in nats, the mean over rows and questions.",
  reconstruction: "Mean squared error in squared standard deviations.",
};

function validationCard({ run }: RunFacts): Html {
  const { model, ridge, persistence } = run.card.validation;
  return card(
    "Validation error",
    factList([
      ["model", errorText(model)],
      [run.card.model.answer === "classes" ? "logistic line" : "ridge", errorText(ridge)],
      [run.card.model.answer === "moves" ? "persistence" : "what knows nothing of the row", errorText(persistence)],
      ["the line's λ", [...new Set(run.card.ridgeLambdas.map((lambda) => (lambda === null ? "no line" : String(lambda))))].join(", ")],
    ]),
    `${ERROR_NOTES[run.card.model.answer] ?? ""} Validation chose when to stop and λ, so it flatters both.`,
  );
}

function settingsCard({ run }: RunFacts): Html {
  return card(
    "Settings",
    factList([
      ["model", run.card.family],
      ...sizeOf(run),
      ...flatten(run.card.settings),
      ...(run.card.kind === "trees" && run.card.line !== undefined ? flatten(run.card.line, "line") : []),
      ["targets are cut at", run.card.targetClip === null ? "nothing" : `${run.card.targetClip} root mean squares`],
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
      ["label", labelKindOf(run.card)],
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
  const { commit, files, format } = run.card;
  return card(
    "How it was made",
    factList([
      ["trained by commit", commit ?? "unknown"],
      ...(evaluation === null ? [] : ([["scored by commit", evaluation.commit ?? "unknown"]] satisfies [string, string][])),
      ...(run.kind === "network" ? ([["backend", run.card.backend]] satisfies [string, string][]) : []),
      ...Object.entries(environment ?? {}),
      ...flatten(files, "SHA-256"),
      ["format", format],
      ["this page", `Node ${process.versions.node}, ${process.platform} ${process.arch}`],
    ]),
  );
}

function when(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
