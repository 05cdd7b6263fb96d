/** GRU over a hundred rows (Cho et al. 2014): the LSTM's task with a quarter less of weights. */

import { defineFamily } from "../define-family.ts";

export const gru = defineFamily({ id: "gru", window: 100 });
