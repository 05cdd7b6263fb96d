/**
 * Stochastic gradient descent with momentum (Polyak 1964), in the form that PyTorch gives it: b ← μb + g, p ← p - lr·b; Nesterov's looks one step
 * ahead: p ← p - lr·(g + μb). Weight decay is added to the gradient. The first buffer is the first gradient, as b starts at 0.
 */

import { type Optimiser, type OptimiserSlice, SMALLEST } from "./contract.ts";

export interface SgdSettings {
  readonly kind: "sgd";
  /** μ; 0 for none. */
  readonly momentum: number;
  readonly isNesterov: boolean;
  readonly weightDecay: number;
}

export const SGD_DEFAULTS: SgdSettings = { kind: "sgd", momentum: 0.9, isNesterov: false, weightDecay: 0 };

export function sgd({ momentum, isNesterov, weightDecay }: SgdSettings): Optimiser {
  return {
    slots: ["buffer"],
    seek() {},
    step({ parameters, gradient, state, decayed }: OptimiserSlice, rate: number) {
      const [buffer] = state as [Float32Array];
      for (let index = 0; index < parameters.length; index++) {
        const before = parameters[index] as number;
        const slope = (gradient[index] as number) + weightDecay * (decayed[index] as number) * before;
        const move = momentum * (buffer[index] as number) + slope;
        buffer[index] = Math.abs(move) < SMALLEST ? 0 : move;
        parameters[index] = before - rate * (isNesterov ? slope + momentum * move : move);
      }
    },
  };
}
