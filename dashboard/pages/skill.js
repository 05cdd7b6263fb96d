/**
 * The front page's third table: what forecasts of the mid were worth in the last 24 hours, each model of each market, beside "the price stays"; of a model that makes no
 * moves what its odds were worth, beside the shares of down, flat and up that came before.
 */

import { askForAnswer, cell, keepFilled, linkCell } from "./table.js";

/** Scores grow by one run of cron a minute, and each look reads an hour's sums of each model. */
const INTERVAL_MS = 5 * 60_000;
const body = document.querySelector("#skill tbody");

function number(value) {
  return value === null ? "–" : value.toFixed(3);
}

/** "0.123 (0.080 to 0.160)"; without an interval nothing is known yet. */
function scoreCell({ r2, r2Low, r2High, scored, uncovered, directionHitRate }) {
  const interval = r2Low === null ? "" : ` (${number(r2Low)} to ${number(r2High)})`;
  const direction = directionHitRate === null ? "" : `, right sign ${(100 * directionHitRate).toFixed(1)} % of moves`;
  const td = cell(`${number(r2)}${interval}`, `${scored} scored, ${uncovered} uncovered${direction}`);
  if (r2Low !== null && r2Low <= 0) td.className = "open";
  return td;
}

function oddsCell({ brierSkill, brierLow, brierHigh, skillScored, brier }) {
  const interval = brierLow === null ? "" : ` (${number(brierLow)} to ${number(brierHigh)})`;
  const td = cell(
    `${number(brierSkill)}${interval} of odds`,
    `Brier ${number(brier)}; ${skillScored} scored beside shares of hours before`,
  );
  if (brierLow !== null && brierLow <= 0) td.className = "open";
  return td;
}

/** A row for each horizon: models needn't have the same. */
function rows({ market, models }) {
  return models.flatMap(({ model, cards }) => {
    const moves = cards.flatMap((card) => card.moves).filter(({ target }) => target === "mid");
    const isOfMoves = moves.length > 0;
    return (isOfMoves ? moves : cards.flatMap((card) => card.odds)).map((score) => {
      const tr = document.createElement("tr");
      const hours = `/v1/scorecards?market=${encodeURIComponent(market)}&model=${encodeURIComponent(model)}&by=hour`;
      tr.append(
        linkCell(market, hours),
        cell(model),
        cell(`${score.horizonMs / 1_000} s`, score.label),
        isOfMoves ? scoreCell(score) : oddsCell(score),
        cell(String(score.scored)),
      );
      return tr;
    });
  });
}

async function fill() {
  const { markets } = await askForAnswer("/v1/markets");
  const cards = await Promise.all(markets.map(({ market }) => askForAnswer(`/v1/scorecards?market=${encodeURIComponent(market)}`)));
  const shown = cards.flatMap(rows);
  body.replaceChildren(...shown);
  return shown.length === 0
    ? "no forecast was scored yet"
    : "R² against persistence, of odds Brier's score against the shares before, with 95 % intervals; red where that isn't above 0";
}

keepFilled(document.querySelector("#skill-note"), INTERVAL_MS, fill);
