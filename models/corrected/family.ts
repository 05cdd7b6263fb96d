/**
 * A ridge line for each move, corrected by boosted trees that learnt what the line leaves, from one feature row. Trees alone learn two days of a market by
 * heart; behind a line they only have to find what bends. Trained by `training/train/correction.ts`; its file is one graph of both.
 */

import { defineFamily } from "../define-family.ts";

export const corrected = defineFamily({ id: "corrected", forecasts: { kinds: ["moves"], asks: ["move"] } });
