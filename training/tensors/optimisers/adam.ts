/**
 * Adam (Kingma and Ba 2014, algorithm 1) and AdamW (Loshchilov and Hutter 2017, algorithm 2):
 * m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  p ← p - lr·(m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε).
 * They differ in weight decay: Adam adds λp to the gradient, AdamW takes lr·λ·p off the parameter beside the step.
 */

import { type Optimiser, type OptimiserSlice, SMALLEST } from "./contract.ts";

export interface AdamSettings {
  readonly kind: "adam" | "adamw";
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** λ, of the parameters that decay. */
  readonly weightDecay: number;
}

/** The paper's own, and the decay that most libraries start from. */
export const ADAMW_DEFAULTS: AdamSettings = { kind: "adamw", beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
export const ADAM_DEFAULTS: AdamSettings = { ...ADAMW_DEFAULTS, kind: "adam", weightDecay: 0 };

export function adam(settings: AdamSettings): Optimiser {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const isDecoupled = settings.kind === "adamw";
  // β₁ᵗ and β₂ᵗ by repeated multiplication: the rounding of `pow` differs between versions of V8.
  let power1 = 1;
  let power2 = 1;
  const advance = (): void => {
    power1 *= beta1;
    power2 *= beta2;
  };
  return {
    slots: ["first_moment", "second_moment"],
    seek(steps) {
      power1 = 1;
      power2 = 1;
      for (let step = 0; step < steps; step++) advance();
    },
    step({ parameters, gradient, state, decayed }: OptimiserSlice, rate: number) {
      advance();
      const [first, second] = state as [Float32Array, Float32Array];
      const inGradient = isDecoupled ? 0 : weightDecay;
      const beside = isDecoupled ? rate * weightDecay : 0;
      const scale = rate / (1 - power1);
      const correction = 1 / (1 - power2);
      for (let index = 0; index < parameters.length; index++) {
        const before = parameters[index] as number;
        const decay = decayed[index] as number;
        const slope = (gradient[index] as number) + inGradient * decay * before;
        const mean = beta1 * (first[index] as number) + (1 - beta1) * slope;
        const square = beta2 * (second[index] as number) + (1 - beta2) * slope * slope;
        first[index] = Math.abs(mean) < SMALLEST ? 0 : mean;
        second[index] = square < SMALLEST ? 0 : square;
        parameters[index] = before - beside * decay * before - (scale * mean) / (Math.sqrt(square * correction) + epsilon);
      }
    },
  };
}
