/** The layer stack of the model family `volumes`: 100 and 50 sigmoids, then the logits of down and up (sturex/pyOrderbookTrading). */

import { VOLUME_HIDDEN_WIDTHS } from "../../models/volumes/family.ts";
import { sigmoid } from "../tensors/operators/activations.ts";
import type { NetworkOf } from "./contract.ts";
import { answerLayer, dense } from "./layers.ts";
import type { NetworkSize } from "./settings.ts";

const WIDTHS: Readonly<Record<NetworkSize, readonly number[]>> = { small: [32, 16], paper: VOLUME_HIDDEN_WIDTHS, large: [200, 100] };

export const volumesOf: NetworkOf = ({ outputs, size }) => {
  return (graph, input) => {
    let value = input;
    for (const [index, width] of WIDTHS[size].entries()) value = sigmoid(graph, dense(graph, value, { name: `hidden${index + 1}`, width }));
    return answerLayer(graph, value, outputs);
  };
};
