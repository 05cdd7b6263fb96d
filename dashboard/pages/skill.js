/**
 * The front page's third table: what forecasts of the mid were worth in the last 24 hours, each model of each market, beside "the price stays". What the API
 * says goes in as text, not as markup.
 */

/** Scores grow by one run of cron a minute, and each look reads an hour's sums of each model. */
const INTERVAL_MS = 5 * 60_000;
const body = document.querySelector("#skill tbody");
const note = document.querySelector("#skill-note");

function cell(text, title = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.title = title;
  return td;
}

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

async function ask(path) {
  const response = await fetch(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

/** A row for each horizon: models needn't have the same. */
function rows({ market, models }) {
  return models.flatMap(({ model, cards }) => {
    const moves = cards.flatMap((card) => card.moves).filter(({ target }) => target === "mid");
    return moves.map((score) => {
      const tr = document.createElement("tr");
      const link = document.createElement("a");
      link.href = `/v1/scorecards?market=${encodeURIComponent(market)}&model=${encodeURIComponent(model)}&by=hour`;
      link.textContent = market;
      const name = document.createElement("td");
      name.append(link);
      tr.append(name, cell(model), cell(`${score.horizonMs / 1_000} s`, score.label), scoreCell(score), cell(String(score.scored)));
      return tr;
    });
  });
}

async function refresh() {
  try {
    const { markets } = await ask("/v1/markets");
    const cards = await Promise.all(markets.map(({ market }) => ask(`/v1/scorecards?market=${encodeURIComponent(market)}`)));
    const shown = cards.flatMap(rows);
    body.replaceChildren(...shown);
    note.textContent =
      shown.length === 0 ? "no forecast was scored yet" : "R² against persistence, and its 95 % interval; red where that isn't above 0";
  } catch (error) {
    note.textContent = `no answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function run() {
  if (!document.hidden) await refresh();
  setTimeout(run, INTERVAL_MS);
}

void run();
