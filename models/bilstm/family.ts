/**
 * A bidirectional LSTM over a hundred rows. Both directions read the past alone: the window ends at the row the forecast is made from, and the
 * backward one reads it from its newest row to its oldest.
 */

import { defineFamily } from "../define-family.ts";

export const bilstm = defineFamily({ id: "bilstm", window: 100 });
