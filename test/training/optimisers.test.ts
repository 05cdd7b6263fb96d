/** Each optimiser against what PyTorch's own makes of the same gradients: a wrong power or a decay in the wrong place still lowers the loss. */

import { describe, expect, it } from "vitest";
import { ADAM_DEFAULTS, ADAMW_DEFAULTS } from "../../training/tensors/optimisers/adam.ts";
import { createOptimiser, OPTIMISER_DEFAULTS, type OptimiserSettings } from "../../training/tensors/optimisers/registry.ts";
import { RMSPROP_DEFAULTS } from "../../training/tensors/optimisers/rmsprop.ts";
import { SGD_DEFAULTS } from "../../training/tensors/optimisers/sgd.ts";

const GRADIENTS = [
  [0.5, -1, 2],
  [0.25, 0.5, -1.5],
  [-1, 0.125, 0.75],
  [0, -0.5, 1],
];

interface Walk {
  readonly parameters: Float32Array;
  readonly state: readonly Float32Array[];
  readonly take: (step: number) => void;
}

/** Three parameters, the last of which doesn't decay; rate 0.1 / t. */
function walk(settings: OptimiserSettings, options: { from?: number; start?: Pick<Walk, "parameters" | "state"> } = {}): Walk {
  const optimiser = createOptimiser(settings);
  const parameters = options.start?.parameters.slice() ?? Float32Array.of(1, -2, 0.5);
  const state = optimiser.slots.map((_, slot) => options.start?.state[slot]?.slice() ?? new Float32Array(3));
  const from = options.from ?? 0;
  optimiser.seek(from);
  const take = (step: number): void => {
    const gradient = Float32Array.from(GRADIENTS[step] ?? []);
    optimiser.step({ parameters, gradient, state, decayed: Float32Array.of(1, 1, 0) }, 0.1 / (step + 1));
  };
  return { parameters, state, take };
}

/** torch.optim in 2.13 (float64), lr set to 0.1 / t before each step, the third parameter in a group with weight_decay 0. */
const CASES: [string, OptimiserSettings, readonly number[]][] = [
  ["AdamW, decay beside the step", { ...ADAMW_DEFAULTS, weightDecay: 0.3 }, [0.8072736850598663, -1.754909415655633, 0.3772258017877386]],
  ["Adam, decay in the gradient", { ...ADAM_DEFAULTS, weightDecay: 0.3 }, [0.8381759520327134, -1.8221312717208609, 0.3772258017877386]],
  ["RMSprop", RMSPROP_DEFAULTS, [0.06707347628678381, -1.159154060551639, -0.38597119738669683]],
  [
    "RMSprop with momentum and decay",
    { ...RMSPROP_DEFAULTS, smoothing: 0.9, momentum: 0.5, weightDecay: 0.3 },
    [0.541261704589764, -1.488162625533465, 0.1348161884238436],
  ],
  ["plain descent", { ...SGD_DEFAULTS, momentum: 0 }, [0.9708333333333333, -1.9166666666666665, 0.32499999999999996]],
  ["momentum and decay", { ...SGD_DEFAULTS, weightDecay: 0.3 }, [0.8302172858333333, -1.6425320716666667, 0.20305]],
  [
    "Nesterov's momentum",
    { ...SGD_DEFAULTS, isNesterov: true, weightDecay: 0.3 },
    [0.7654791864848333, -1.4883119067196666, 0.057744999999999984],
  ],
];

describe("optimisers", () => {
  it.each(CASES)("%s takes PyTorch's steps", (_, settings, expected) => {
    const { parameters, take } = walk(settings);
    for (const step of GRADIENTS.keys()) take(step);
    for (const [index, value] of expected.entries()) expect(parameters[index]).toBeCloseTo(value, 6);
  });

  it.each(CASES)("%s goes on from its state with the same bits: a resumed run would drift otherwise", (_, settings) => {
    const whole = walk(settings);
    for (const step of GRADIENTS.keys()) whole.take(step);
    const first = walk(settings);
    first.take(0);
    first.take(1);
    const rest = walk(settings, { from: 2, start: first });
    rest.take(2);
    rest.take(3);
    expect(rest.parameters).toEqual(whole.parameters);
    expect(rest.state).toEqual(whole.state);
  });

  it.each(Object.values(OPTIMISER_DEFAULTS))(
    "$kind forgets a gradient that stays 0 instead of keeping denormal numbers: they cost a hundredfold",
    (settings) => {
      const optimiser = createOptimiser(settings);
      const slice = { parameters: Float32Array.of(1), gradient: Float32Array.of(1e-3), decayed: Float32Array.of(0) };
      const state = optimiser.slots.map(() => new Float32Array(1));
      optimiser.step({ ...slice, state }, 1e-3);
      slice.gradient[0] = 0;
      for (let step = 0; step < 60_000; step++) optimiser.step({ ...slice, state }, 1e-3);
      for (const slot of state) expect(slot).toEqual(new Float32Array(1));
    },
  );
});
