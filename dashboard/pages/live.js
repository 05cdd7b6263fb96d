/**
 * The front page's table: each market with its quote and forecast, asked for anew while somebody looks. A refusal is shown as the API gives it,
 * by its reason, never as a number. What the API says goes in as text, not as markup.
 */

/** Each look asks twice for each market, and requests are what a deployed instance pays for. */
const INTERVAL_MS = 5_000;
const body = document.querySelector("#markets tbody");
const note = document.querySelector("#note");

async function ask(path) {
  const response = await fetch(path);
  return { ok: response.ok, body: await response.json() };
}

function cell(text, title = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.title = title;
  return td;
}

function marketCell(market) {
  const td = document.createElement("td");
  const link = document.createElement("a");
  link.href = `/v1/markets/${encodeURIComponent(market)}`;
  link.textContent = market;
  td.append(link);
  return td;
}

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
    marketCell(market),
    cell(state),
    cell(quote.ok ? (quote.body.bid?.price ?? "") : ""),
    cell(quote.ok ? (quote.body.ask?.price ?? "") : ""),
  );
  tr.append(first, last ?? cell(""));
  return tr;
}

async function refresh() {
  try {
    const { body: listed } = await ask("/v1/markets");
    const rows = await Promise.all(listed.markets.map(row));
    body.replaceChildren(...rows);
    note.textContent = `as of ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    note.textContent = `no answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function run() {
  if (!document.hidden) await refresh();
  setTimeout(run, INTERVAL_MS);
}

void run();
