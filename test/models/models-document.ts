/** docs/models.md: what there is to train, told by the registry itself. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/horizons.ts";
import type { ModelFamily } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { networkOf } from "../../training/networks/registry.ts";
import { defaultSettings, NETWORK_SIZES, type NetworkSize } from "../../training/networks/settings.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";
import { sizeOf } from "../../training/tensors/shape.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Of the feature set v1, which families of any columns are shown with. */
const COLUMNS_OF_V1 = 27;

export function modelsDocument(): string {
  const rows = [...MODEL_FAMILIES.values()].map(
    (family) =>
      `| \`${family.id}\` | ${rowsOf(family)} | ${family.window} | ${family.answers.map((answer) => answer.kind).join(", ")} | ${parametersOf(family)} | ${aboutOf(family)} |`,
  );
  return `# Models

Each line is a folder of \`models/\`; this page is made of the registry by \`npx vitest run test/models/models-document.test.ts -u\`. \`edgebook train --model NAME\` trains those whose rows are features; [add a model](recipes/add-a-model.md) says how
another gets in. None is claimed to be good: \`edgebook evaluate\` shows each beside persistence and a ridge line, on rows that training never saw.

| family | rows | window | answers | parameters: small, paper, large | what it is |
|---|---|---|---|---|---|
${rows.join("\n")}

*rows*: the feature set that it eats, or any, or a layout of its own. *window*: rows of history, one a second (minutes for \`coin-minutes\`). *answers*: the first is meant unless \`--answer\` says another. *parameters* of the first
answer, at the ${DEFAULT_HORIZONS_MS.length} horizons of a dataset that names none, for families of any columns with the ${COLUMNS_OF_V1} of v1; \`paper\` is the size of the source. Lines and trees have as many as the data ask for.

## What a run may ask for besides

\`--line\` lays a line from the newest row beside any network of moves or classes and adds it to the answer. What is linear then costs the network nothing, and short days teach it little else. \`--hidden 256,128\` and \`--dropout .25\` are of the \`mlp\`. The run's
card tells them, and the file that is served holds all but the dropout, which is of training alone. \`--horizon-weights 1000:2,5000:1\` says what the moves at each horizon count in a network's loss, of every horizon that is trained ([why](../training/README.md#horizons)).

## At an instance: versions and roles

An export becomes a version by \`edgebook publish\`, and plays a role: active, which answers, or shadow, which is asked on the same rows and scored ([operations](operations.md#models-publishing-going-back-shadows)). Forecasts are made of moves, of point or anchored
labels; signals of moves or classes. Smoothed models, reconstructions and action values play nowhere. A model takes the rows of its own feature set, by fingerprint, the newest as many as its window; fewer are refused.

Before it plays, its every claim is checked: the manifest, the file's hash, its features, shapes, and the golden vectors. An active model of forecasts that fails has the shipped one in its place: each answer names who made it (\`model\`), and \`/v1/models\` for whom and why; a faulty shadow plays no
role. A manifest may carry a calibration, of validation rows alone: with it each forecast of the mid has an interval and the probabilities of down, flat and up; without it neither.

## Two families without data

\`edgebook dataset\` makes feature rows of one market, with the moves of its own bid, mid and ask. Two families eat something else. They build, export and are checked at the edge; nothing here trains them yet.

- \`resnet1d\` wants a table of minutes: the nine numbers of a Binance kline (open, high, low, close, volume, quote volume, trades, taker buys in both) of twenty named symbols side by side, each row complete or masked, 512 in a row before each
  answer, and the move of each symbol 15 minutes later. \`edgebook import binance-klines\` reads such klines from answers of \`GET /api/v3/klines\`, one file of events a symbol, with eight of the nine (takers' buys in lots, not in quote currency). What is missing: that ninth, joining symbols into rows, targets that name
  their market in a dataset's card, and losses and scores over them. Bars of another source that lack trades and taker volumes (\`klines-csv\`) don't hold all nine. A thousand minutes, one answer of the venue, leave some 470 windows that overlap: weeks are wanted.
- \`dueling-q\` learns from no recording alone: its rows are states of an agent (inventory, own quotes, time since its last fill, client flow) and depend on what it did before. It needs an environment: a recorded or generated book, fills by rule, a client flow by
  intensity and acceptance, hedges that walk the book, and a reward; then transitions of play, replayed. \`agents/\` is empty so far ([the recipe](recipes/add-an-agent.md)), and that environment comes with it.
`;
}

function rowsOf({ inputs }: ModelFamily): string {
  if (inputs.kind === "layout") return `\`${inputs.layout.id}\``;
  return inputs.featureSet === null ? "any" : `\`${inputs.featureSet}\``;
}

function parametersOf(family: ModelFamily): string {
  const counts = NETWORK_SIZES.map((size) => countParameters(family, size));
  return counts.includes(null) ? "by the data" : counts.map((count) => count?.toLocaleString("en-US")).join(", ");
}

function countParameters(family: ModelFamily, size: NetworkSize): number | null {
  const columns = family.columns ?? COLUMNS_OF_V1;
  const network = networkOf(family, { ...defaultSettings(family), size }, columns);
  if (network === null) return null;
  const graph = new GraphBuilder();
  network(graph, graph.input("features", family.window > 1 ? [2, family.window, columns] : [2, columns]));
  return graph.parameters.reduce((sum, { value }) => sum + sizeOf(value.shape), 0);
}

/** The first sentence of the folder's header. */
function aboutOf(family: ModelFamily): string {
  const text = readFileSync(join(ROOT, "models", family.id, "family.ts"), "utf8");
  const header = /\/\*\*(.*?)\*\//s.exec(text)?.[1] ?? "";
  const words = header
    .replace(/^\s*\* ?/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
  return (/^.*?[.)](?= [A-Z]|$)/.exec(words)?.[0] ?? words).replaceAll("|", "\\|");
}
