/** docs/models.md: what there is to train, told by the registry itself. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
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
answer, for families of any columns with the ${COLUMNS_OF_V1} of v1; \`paper\` is the size of the source. Lines and trees have as many as the data ask for.
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
