/** LSTM over a hundred rows (Tsantekidis et al. 2017, "Using deep learning to detect price change indications in financial markets"). */

import { defineFamily } from "../define-family.ts";

export const lstm = defineFamily({ id: "lstm", window: 100 });
