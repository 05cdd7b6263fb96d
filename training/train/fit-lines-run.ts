/** From a dataset to a run of lines, the test part not looked at. */

import type { Dataset } from "../datasets/dataset-reader.ts";
import { makeFolder } from "../make-folder.ts";
import type { NetworkSettings } from "../networks/settings.ts";
import type { Progress } from "../progress.ts";
import { ignorantAnswers, meanError } from "./baseline.ts";
import { answerBaseline, fitBaseline } from "./baseline-line.ts";
import { answerLine, type FittedLines, fitLines, type LineSettings, lambdasFor } from "./fit-lines.ts";
import type { LinesCard } from "./run-card.ts";
import { writeLinesRun } from "./run-folder.ts";
import { type Cuts, factsOf, familyOf, rowsOfRun, type Shares } from "./run-rows.ts";

export interface FitLinesRunOptions extends Cuts {
  readonly dataset: Dataset;
  readonly dataFolder: string;
  readonly out: string;
  readonly family: string;
  readonly model?: NetworkSettings | null;
  readonly settings: LineSettings;
  readonly shares?: Shares;
  readonly progress: Progress;
  readonly commit: string | null;
}

/** Fits and writes the run folder. Throws CommandError when no line can be fitted to the data. */
export async function fitLinesRun(options: FitLinesRunOptions): Promise<{ card: LinesCard; lines: FittedLines }> {
  const { dataset, out, settings, progress } = options;
  const { family, settings: model } = familyOf(options.family, dataset, options.model ?? null);
  const rows = rowsOfRun(dataset, {
    family,
    model,
    ...(options.shares === undefined ? {} : { shares: options.shares }),
    targetClip: options.targetClip,
    inputClip: options.inputClip,
  });
  const { train, validation, statistics } = rows;
  const { output } = statistics;
  await makeFolder(out);
  progress.start(`fitting lines to ${train.rows} rows`, null);
  const lines = fitLines(train, validation, { output, settings });
  const baseline = fitBaseline(train, validation, output);
  progress.stop();
  const beside = answerBaseline(baseline?.weights ?? new Float64Array(0), validation);
  const card = await writeLinesRun(out, {
    card: {
      ...factsOf(dataset, rows, options),
      settings: { lambdas: [...lambdasFor(output, settings)], hasIntercept: settings.hasIntercept || output.unit === "probability" },
      lambdas: [...lines.lambdas],
      ridgeLambdas: [...(baseline?.lambdas ?? [])],
      validation: {
        model: meanError(validation, answerLine(lines, validation), output),
        ridge: beside === null ? null : meanError(validation, beside, output),
        persistence: meanError(validation, ignorantAnswers(validation, train, output), output),
      },
    },
    weights: lines.weights,
    intercepts: lines.intercepts,
    ridgeWeights: baseline?.weights ?? new Float64Array(0),
    metrics: lines.path,
  });
  return { card, lines };
}
