/**
 * Does a dataset's scoring see answers, and do its rows know the future? A ridge line is fitted again and again, on labels or features of other rows:
 *
 * 1. Labels turned by a day (or half a part): skill on the true test labels has to be within its interval of 0. Skill left means that test rows are
 *    training rows once more (a recording joined twice, parts that overlap).
 * 2. Features shifted one row into the future: the line is given a leak, so skill at the shortest horizon has to jump. Where it doesn't, the alarm is
 *    dead: a column knows the next price already, or no column tells the price's last move.
 * 3. Features shifted one row back: skill there has to fall. Where older features forecast better, some column is of a later time than its row.
 *
 * What it can't see: a future that shows faintly in a column (the skill is then merely good). cut-history.ts looks at where columns come from.
 */

import type { Dataset } from "../datasets/dataset-reader.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { chanceR2 } from "./leak-check.ts";
import { lineSkill } from "./line-skill.ts";
import { rowsTurned, shiftFeatures, turnLabels } from "./moved-rows.ts";
import type { LeakVerdict } from "./verdict.ts";

/**
 * How much R² a row of the future has to add at the shortest horizon. Two simulated hours of a large-tick market: v1 and r70 go from .09 to 1, levels-10
 * from .08 to .19; volumes-10, which hold no price, from .071 to .076.
 */
export const LEAST_JUMP_R2 = 0.05;

/** Throws CommandError where there are too few rows, or the targets aren't those that a line answers. */
export function datasetLeaks(dataset: Dataset): readonly LeakVerdict[] {
  const asIs = lineSkill(dataset);
  return [
    turnedVerdict(dataset, lineSkill(turnLabels(dataset), dataset)),
    laterVerdict(asIs, lineSkill(shiftFeatures(dataset, "later"))),
    earlierVerdict(asIs, lineSkill(shiftFeatures(dataset, "earlier"))),
  ];
}

function turnedVerdict({ card }: Dataset, scores: readonly DetailedScore[]): LeakVerdict {
  const largest = scores.reduce((most, score) => (score.r2 > most.r2 ? score : most));
  const chance = (score: DetailedScore): number => chanceR2(score, card.intervalMs);
  const leaks = scores.filter((score) => score.r2Low > 0 && score.r2 > chance(score));
  const turns = [...new Set(card.parts.map(({ rows }) => rowsTurned(rows, card.intervalMs)))];
  return {
    detector: "labels turned",
    what: `labels of ${turns.join(" or ")} rows later`,
    found: `R² at most ${written(largest)}`,
    wanted: `0 within its interval, or R² up to ${chance(largest).toFixed(3)}, which chance gives so many rows`,
    failure:
      leaks.length === 0
        ? null
        : `a line that learnt the labels of other rows forecasts the test rows (${leaks.map(written).join("; ")}): the test rows, or copies of them, are among those it learnt from`,
  };
}

function laterVerdict(asIs: readonly DetailedScore[], later: readonly DetailedScore[]): LeakVerdict {
  const [now, then] = [shortest(asIs), shortest(later)];
  const jump = then.r2 - now.r2;
  return {
    detector: "features of the next row",
    what: "each row sees the next one's features",
    found: `R² ${now.r2.toFixed(4)} → ${written(then)}`,
    wanted: `R² rises by ${LEAST_JUMP_R2} or more`,
    failure:
      jump >= LEAST_JUMP_R2
        ? null
        : `the alarm is dead: a row of the future changes R² by ${jump.toFixed(4)} alone. Either a column knows the next price already, or none tells the price's last move (bare volumes don't), and then a leak of one row can't be seen here`,
  };
}

function earlierVerdict(asIs: readonly DetailedScore[], earlier: readonly DetailedScore[]): LeakVerdict {
  const [now, then] = [shortest(asIs), shortest(earlier)];
  // Noise neither falls nor rises; skill that only the older rows have is a leak whatever the rows themselves have.
  const hasSkill = now.r2Low > 0 || then.r2Low > 0;
  return {
    detector: "features of the last row",
    what: "each row sees the last one's features",
    found: `R² ${now.r2.toFixed(4)} → ${written(then)}`,
    wanted: hasSkill ? "R² falls" : "no skill there, none to lose",
    failure:
      !hasSkill || then.r2 < now.r2 ? null : "features that are one row older forecast no worse: a column is of a later time than its row",
  };
}

function shortest(scores: readonly DetailedScore[]): DetailedScore {
  return scores[0] as DetailedScore;
}

function written({ r2, r2Low, r2High, horizonMs }: DetailedScore): string {
  return `${r2.toFixed(4)} [${r2Low.toFixed(4)}, ${r2High.toFixed(4)}] at ${horizonMs / 1_000} s`;
}
