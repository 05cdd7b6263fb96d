/** The page's part on intervals and probabilities: what they held, and by bin of the forecast what was said beside what came. */

import { DIRECTIONS } from "../../core/labels/classes.ts";
import type { CalibratedScore } from "../evaluate/calibrated-scores.ts";
import type { ReliabilityBin } from "../evaluate/class-scores.ts";
import { HELD_HEAD, heldCells, RELIABILITY_HEAD, reliabilityCells } from "./calibrated-texts.ts";
import { reliabilityChart } from "./charts.ts";
import { card, dataTable, type Html, html, raw } from "./page.ts";

export function calibratedCards(scores: readonly CalibratedScore[]): Html[] {
  if (scores.length === 0) return [];
  return [
    card(
      "Intervals and probabilities on rows that training never saw",
      dataTable(HELD_HEAD, scores.map(heldCells)),
      "Made of the validation rows, by bins of the forecast; judged on rows that came later. The shares of down, flat and up among the validation rows know nothing of a row: what the probabilities gain on them is what they say.",
    ),
    html`<div class="grid">${scores.map(reliabilityCard)}</div>
`,
  ];
}

function reliabilityCard(score: CalibratedScore): Html {
  return card(
    `Probabilities of the ${score.target} in ${score.horizonMs / 1_000} s: what was said, what came`,
    html`${raw(reliabilityChart(pointsOf(score)))}${dataTable(RELIABILITY_HEAD, reliabilityCells(score))}`,
    "A point for down and one for up of each bin of the forecast, with its rows; on the dashed line a probability means what it says.",
  );
}

/** Of down and of up: flat is what they leave. */
function pointsOf({ bins }: CalibratedScore): ReliabilityBin[] {
  return [DIRECTIONS.indexOf("down"), DIRECTIONS.indexOf("up")].flatMap((direction) =>
    bins.map(({ rows, said, came }) => ({ rows, probability: said[direction] as number, share: came[direction] as number })),
  );
}
