/** The page of `edgebook runs --html`. */

import { writeFile } from "node:fs/promises";
import { curvesChart, seriesColor } from "./charts.ts";
import { card, dataTable, type Html, html, legend, page, raw } from "./page.ts";
import { errorText, type RunFacts } from "./run-facts.ts";
import { type Differences, differencesBetween, midScores } from "./side-by-side.ts";
import { signed } from "./signed.ts";

export async function writeRunsPage(runs: readonly RunFacts[], path: string): Promise<void> {
  await writeFile(path, renderRuns(runs));
}

export function renderRuns(runs: readonly RunFacts[]): string {
  const differences = differencesBetween(runs);
  return page(`${runs.length} runs`, [
    html`<h1>${runs.length} runs</h1>
<p class="lead">What they have in common is not shown.</p>
`,
    html`<div class="grid">${[curvesCard(runs), errorsCard(runs)]}</div>
`,
    differencesCard(runs, differences),
    ...scoreCards(runs),
    classScoresCard(runs),
  ]);
}

function curvesCard(runs: readonly RunFacts[]): Html {
  const curves = runs.map(({ curve }) => curve);
  if (curves.every((curve) => curve === null)) return card("Validation loss", html`<p class="note">No run kept its curve.</p>`);
  const note = "Losses of runs on other data, or with other targets, don't compare.";
  return card(
    "Validation loss",
    html`${legend(runs.map(({ name }, index) => [name, seriesColor(index)] as const))}${raw(curvesChart(curves))}`,
    note,
  );
}

function errorsCard(runs: readonly RunFacts[]): Html {
  const rows = runs.map(({ name, run }) => {
    const { model, ridge, persistence } = run.card.validation;
    return [name, ...[model, ridge, persistence].map(errorText)];
  });
  return card(
    "Validation error",
    dataTable(["run", "model", "ridge", "persistence"], rows),
    "The best of many runs is partly luck: its score on rows that chose nothing counts.",
  );
}

function differencesCard(runs: readonly RunFacts[], { names, values }: Differences): Html {
  if (names.length === 0) return card("Settings that differ", html`<p>None.</p>`);
  return card(
    "Settings that differ",
    dataTable(
      ["run", ...names],
      runs.map(({ name }, index) => [name, ...(values[index] ?? [])]),
    ),
  );
}

/** One table a target, horizons across: R² of the model, ridge's behind it. */
function scoreCards(runs: readonly RunFacts[]): Html[] {
  const scored = runs.filter(({ evaluation }) => evaluation !== null && evaluation.scores.length > 0);
  const targets = [...new Set(scored.flatMap(({ evaluation }) => evaluation?.scores.map(({ target }) => target) ?? []))];
  return targets.map((target) => {
    const horizons = [
      ...new Set(
        scored.flatMap(
          ({ evaluation }) => evaluation?.scores.filter((score) => score.target === target).map(({ horizonMs }) => horizonMs) ?? [],
        ),
      ),
    ].sort((one, other) => one - other);
    const rows = scored.map(({ name, evaluation }) => [
      name,
      ...horizons.map((horizonMs) => {
        const score = evaluation?.scores.find((of) => of.target === target && of.horizonMs === horizonMs);
        return score === undefined ? "–" : `${signed(score.r2)} (${signed(score.ridgeR2)})`;
      }),
    ]);
    return card(
      `R² of the ${target} against persistence (ridge)`,
      dataTable(["run", ...horizons.map((horizon) => `${horizon / 1_000} s`)], rows),
      "Each on the rows it was scored on; persistence has 0.",
    );
  });
}

/** Runs that answer classes have no R²: what they are told by is Matthews' correlation, as in the terminal. */
function classScoresCard(runs: readonly RunFacts[]): Html {
  const rows = runs.flatMap(({ name, evaluation }) =>
    evaluation?.classes === undefined || evaluation.classes.length === 0 ? [] : [[name, midScores(evaluation)]],
  );
  if (rows.length === 0) return html``;
  return card(
    "MCC of classes (logistic line)",
    dataTable(["run", "by horizon"], rows),
    "Matthews' correlation on the rows each was scored on; 0 for whoever always says the same.",
  );
}
