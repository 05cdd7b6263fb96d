/**
 * The 100-50-n network: one feature row in, the moves of bid, mid and ask at every horizon out.
 *
 * The widths are those of the order-book network of sturex/pyOrderbookTrading (100-50-2), with n = targets x horizons linear
 * outputs in place of its two classes. Its sigmoids saturate on wide inputs and train slowly; the hidden layers here are
 * SiLU, x * sigmoid(x) (Elfwing, Uchibe and Doya 2017): smooth, so that its gradient rule can be checked by differences
 * everywhere, and made of operators that every ONNX runtime has. The network as it was is the family `volumes`.
 */

import { defineFamily } from "../define-family.ts";

export const HIDDEN_WIDTHS: readonly number[] = [100, 50];

export const mlp = defineFamily({ id: "mlp" });
