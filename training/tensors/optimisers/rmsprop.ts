/**
 * RMSprop (Hinton's lecture 6e, 2012) in the form that PyTorch gives it, uncentred: v ← αv + (1-α)g², b ← μb + g/(√v + ε), p ← p - lr·b.
 * Weight decay is added to the gradient.
 */

import { type Optimiser, type OptimiserSlice, SMALLEST } from "./contract.ts";

export interface RmspropSettings {
  readonly kind: "rmsprop";
  /** α, what is kept of the mean square. */
  readonly smoothing: number;
  readonly epsilon: number;
  /** μ; 0 for none. */
  readonly momentum: number;
  readonly weightDecay: number;
}

/** PyTorch's own. */
export const RMSPROP_DEFAULTS: RmspropSettings = { kind: "rmsprop", smoothing: 0.99, epsilon: 1e-8, momentum: 0, weightDecay: 0 };

export function rmsprop({ smoothing, epsilon, momentum, weightDecay }: RmspropSettings): Optimiser {
  return {
    slots: ["mean_square", "buffer"],
    seek() {},
    step({ parameters, gradient, state, decayed }: OptimiserSlice, rate: number) {
      const [squares, buffer] = state as [Float32Array, Float32Array];
      for (let index = 0; index < parameters.length; index++) {
        const before = parameters[index] as number;
        const slope = (gradient[index] as number) + weightDecay * (decayed[index] as number) * before;
        const square = smoothing * (squares[index] as number) + (1 - smoothing) * slope * slope;
        const move = momentum * (buffer[index] as number) + slope / (Math.sqrt(square) + epsilon);
        squares[index] = square < SMALLEST ? 0 : square;
        buffer[index] = Math.abs(move) < SMALLEST ? 0 : move;
        parameters[index] = before - rate * move;
      }
    },
  };
}
