/**
 * Scores forecasts whose outcome is known, or known to be unknown, into sums (score-sums.ts). The measures of one row are those of core/metrics: errors of moves in bps
 * against persistence ("no move"), the sign among rows that moved, Brier's score and surprise of the classes.
 */

import { directionOf } from "../labels/classes.ts";
import { LABEL_TARGETS, type PriceRows } from "../labels/moves.ts";
import { brierOf } from "../metrics/brier.ts";
import { surpriseOf } from "../metrics/log-loss.ts";
import type { HorizonAnswer, MadeForecast, MoveInterval, MoveOdds } from "./forecast-answer.ts";
import { type RealisedMoves, realisedMoves } from "./realised-moves.ts";
import {
  BIN_SUMS,
  binKey,
  emptySums,
  horizonKey,
  INTERVAL_SUMS,
  type IntervalSums,
  MOVE_SUMS,
  type MoveSums,
  moveKey,
  ODDS_SUMS,
  type OddsDirection,
  type ScoreSums,
  sumsAt,
} from "./score-sums.ts";

/** @param path of the forecasts' market, over all that their targets look at; what is missing in it is uncovered. */
export function scoreForecasts(forecasts: readonly MadeForecast[], path: PriceRows): ScoreSums {
  const sums = emptySums();
  const outcomes = realisedMoves(forecasts, path);
  forecasts.forEach(({ answer }, index) => {
    const came = outcomes[index] ?? [];
    sums.counts.forecasts++;
    if (came.every((moves) => moves === null)) sums.counts.uncovered++;
    answer.horizons.forEach((said, at) => {
      addHorizon(sums, { said, came: came[at] ?? null, horizon: horizonKey(answer.label, said.horizonMs), label: answer.label });
    });
  });
  return sums;
}

interface ScoredHorizon {
  readonly said: HorizonAnswer;
  readonly came: RealisedMoves | null;
  readonly horizon: string;
  readonly label: MadeForecast["answer"]["label"];
}

function addHorizon(sums: ScoreSums, { said, came, horizon, label }: ScoredHorizon): void {
  for (const target of LABEL_TARGETS) {
    const forecast = said.movesBps[target];
    if (forecast === null) continue;
    const own = sumsAt(sums.moves, moveKey(label, said.horizonMs, target), MOVE_SUMS);
    if (came === null) own.uncovered++;
    else addMove(own, forecast, came[target]);
  }
  if (came === null) return;
  if (said.interval !== null) addInterval(sumsAt(sums.intervals, horizon, INTERVAL_SUMS), said.interval, came.mid);
  if (said.odds !== null) addOdds(sums, said.odds, { move: came.mid, horizon });
}

function addMove(sums: MoveSums, forecast: number, move: number): void {
  const error = move - forecast;
  sums.scored++;
  sums.squaredError += error * error;
  sums.squaredMove += move * move;
  sums.absoluteError += Math.abs(error);
  sums.absoluteMove += Math.abs(move);
  if (move !== 0) {
    sums.moved++;
    if (Math.sign(forecast) === Math.sign(move)) sums.hits++;
  }
  sums.forecast += forecast;
  sums.move += move;
  sums.squaredForecast += forecast * forecast;
  sums.product += forecast * move;
}

function addInterval(sums: IntervalSums, { lowBps, highBps }: MoveInterval, move: number): void {
  if (move < lowBps) sums.below++;
  else if (move > highBps) sums.above++;
  else sums.inside++;
}

function addOdds(sums: ScoreSums, { down, up, thresholdBps }: MoveOdds, { move, horizon }: { move: number; horizon: string }): void {
  const own = sumsAt(sums.odds, horizon, ODDS_SUMS);
  const probabilities = [down, 1 - down - up, up];
  const direction = directionOf(move, thresholdBps);
  own.brier += brierOf(probabilities, direction);
  own.surprise += surpriseOf(probabilities[direction] as number);
  if (direction === 0) own.down++;
  else if (direction === 1) own.flat++;
  else own.up++;
  addBin(sums, { horizon, direction: "down", said: down, came: direction === 0 });
  addBin(sums, { horizon, direction: "up", said: up, came: direction === 2 });
}

interface SaidClass {
  readonly horizon: string;
  readonly direction: OddsDirection;
  readonly said: number;
  readonly came: boolean;
}

function addBin(sums: ScoreSums, { horizon, direction, said, came }: SaidClass): void {
  const bin = sumsAt(sums.bins, binKey(horizon, direction, said), BIN_SUMS);
  bin.rows++;
  bin.said += said;
  if (came) bin.came++;
}
