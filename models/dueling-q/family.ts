/**
 * What each action of a market maker who also fills clients is worth (Wang et al. 2016, dueling networks): the state of the agent in, one value for each of
 * 112 actions out. Trained by playing, not from a dataset of features.
 */

import { defineFamily } from "../define-family.ts";
import { ACTIONS, INTERNALISER_STATE } from "./internaliser.ts";

export const duelingQ = defineFamily({
  id: "dueling-q",
  inputs: { kind: "layout", layout: INTERNALISER_STATE },
  columns: INTERNALISER_STATE.columns.length,
  answers: [{ kind: "action-values", actions: ACTIONS }],
});
