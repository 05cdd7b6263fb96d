/**
 * The front page's table: each market with its quote and forecast, asked for anew while somebody looks. A refusal is shown as the API gives it,
 * by its reason, never as a number.
 */

import { ask, askForAnswer, cell, keepFilled, linkCell } from "./table.js";

/** Each look asks twice for each market, and requests are what a deployed instance pays for. */
const INTERVAL_MS = 5_000;
const body = document.querySelector("#markets tbody");

/** "200.127 (+0.10 bps)", by horizon; the reason where there is no forecast. */
function forecastCells({ ok, body: forecast }) {
  if (!ok) return [cell(forecast.reason, forecast.detail)];
  return [forecast.horizons.at(0), forecast.horizons.at(-1)].map((horizon) => {
    const move = horizon?.mid?.moveBps;
    if (move === undefined) return cell("");
    const sign = move < 0 ? "−" : "+";
    return cell(
      `${Number(horizon.mid.price)} (${sign}${Math.abs(move).toFixed(2)} bps)`,
      `in ${horizon.horizonMs / 1_000} s, by ${forecast.model.id}`,
    );
  });
}

async function row({ market, state }) {
  const path = `/v1/markets/${encodeURIComponent(market)}`;
  const [quote, forecast] = await Promise.all([ask(`${path}/quote`), ask(`${path}/forecast`)]);
  const tr = document.createElement("tr");
  const [first, last] = forecastCells(forecast);
  tr.append(
    linkCell(market, path),
    cell(state),
    cell(quote.ok ? (quote.body.bid?.price ?? "") : ""),
    cell(quote.ok ? (quote.body.ask?.price ?? "") : ""),
  );
  tr.append(first, last ?? cell(""));
  return tr;
}

async function fill() {
  const { markets } = await askForAnswer("/v1/markets");
  body.replaceChildren(...(await Promise.all(markets.map(row))));
  return `as of ${new Date().toLocaleTimeString()}`;
}

keepFilled(document.querySelector("#note"), INTERVAL_MS, fill);
