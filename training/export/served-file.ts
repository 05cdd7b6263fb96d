/** The .onnx file of a run: a network's graph, an ensemble of trees (with the line that they correct, where there is one), or lines. All take normalised rows and answer in the units of the manifest. */

import type { ModelFamily, ModelOutput } from "../../models/contract.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import { buildLinearGraph } from "../linear/linear-graph.ts";
import { headFor } from "../networks/heads.ts";
import { buildServedGraph, weightsFrom } from "../tensors/served-graph.ts";
import type { NetworkRun, Run, TreesRun } from "../train/run-folder.ts";
import { familyFor } from "../train/train-run.ts";
import { buildServedEnsemble } from "../trees/served-ensemble.ts";

export interface ServedFileOptions {
  readonly dataset: Dataset;
  readonly family: ModelFamily;
  readonly output: ModelOutput;
  /** Of one window, without the batch. */
  readonly shape: readonly number[];
}

/** Throws CommandError where a run of trees doesn't answer all that its family does. */
export function servedFileOf(run: Run, options: ServedFileOptions): Uint8Array {
  const { family, output } = options;
  if (run.kind === "network") return networkFile(run, options);
  const names = { inputName: family.inputName, outputName: output.name };
  const outputScale = output.unit === "bps" ? run.card.targetScale : null;
  if (run.kind === "trees") return buildServedEnsemble(wholeEnsembles(run), { ...names, outputScale, line: run.line });
  const answer =
    output.unit === "probability"
      ? ({ kind: "softmax", sizes: output.groups.map(({ labels }) => labels.length) } as const)
      : ({ kind: "ridge", outputScale } as const);
  return buildLinearGraph({
    ...names,
    weights: run.weights,
    intercepts: run.intercepts,
    columns: run.card.featureSet.columns.length,
    answer,
  });
}

function networkFile(run: NetworkRun, { dataset, family, output, shape }: ServedFileOptions): Uint8Array {
  const { card, parameters, statistics } = run;
  const { network } = familyFor(card.family, dataset, card.model);
  return buildServedGraph(network, {
    shape,
    inputName: family.inputName,
    outputName: output.name,
    head: headFor(output, card.targetScale),
    weights: new Map([...weightsFrom(parameters, card.slots), ...weightsFrom(statistics, card.statisticSlots ?? [])]),
  });
}

/** A missing one would be served as a forecast of "no move". */
function wholeEnsembles({ ensembles, card }: TreesRun) {
  const present = ensembles.filter((ensemble) => ensemble !== null);
  if (present.length < ensembles.length)
    throw new CommandError(
      `this run of ${card.family} was trained for ${present.length} of ${ensembles.length} outputs: a model answers all of them, so train without --only (--horizons leaves whole horizons out)`,
    );
  return present;
}
