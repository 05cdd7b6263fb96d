/**
 * AdamW (Loshchilov and Hutter 2017, algorithm 2) on one flat vector:
 * m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  p ← p - lr·λ·p - lr·(m/(1-β₁ᵗ)) / (√(v/(1-β₂ᵗ)) + ε).
 * The step's own numbers arrive as one small input, so that one graph serves every step.
 */

import { emitAdd, emitDivide, emitMultiply, emitSubtract } from "../emit.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";

export interface AdamwSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** λ, of the parameters that decay. */
  readonly weightDecay: number;
}

/** The paper's own, and the decay that most libraries start from. */
export const ADAMW_DEFAULTS: AdamwSettings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

export interface AdamwState {
  /** [count] each. */
  readonly parameters: Value;
  readonly firstMoment: Value;
  readonly secondMoment: Value;
  /** [3]: learning rate, 1 - β₁ᵗ, 1 - β₂ᵗ; see adamwSchedule. */
  readonly schedule: Value;
}

/** @param step.decayed [count], 1 where weight decay applies. @returns the state after the step, without the schedule. */
export function adamw(
  graph: GraphBuilder,
  state: AdamwState,
  step: { gradient: Value; decayed: Value; settings: AdamwSettings },
): Omit<AdamwState, "schedule"> {
  const { beta1, beta2, epsilon, weightDecay } = step.settings;
  const [rate, correction1, correction2] = graph.emitMany("Split", [state.schedule, graph.integers([1, 1, 1])], {
    shapes: [[1], [1], [1]],
    attributes: { axis: { int: 0 } },
  }) as [Value, Value, Value];
  const firstMoment = blend(graph, state.firstMoment, { next: step.gradient, keep: beta1 });
  const secondMoment = blend(graph, state.secondMoment, { next: emitMultiply(graph, step.gradient, step.gradient), keep: beta2 });
  const root = graph.emit("Sqrt", [emitDivide(graph, secondMoment, correction2)], secondMoment.shape);
  const direction = emitDivide(graph, emitDivide(graph, firstMoment, correction1), emitAdd(graph, root, graph.scalar(epsilon)));
  const decay = emitMultiply(graph, emitMultiply(graph, state.parameters, step.decayed), graph.scalar(weightDecay));
  const change = emitMultiply(graph, emitAdd(graph, decay, direction), rate);
  return { parameters: emitSubtract(graph, state.parameters, change), firstMoment, secondMoment };
}

function blend(graph: GraphBuilder, moment: Value, options: { next: Value; keep: number }): Value {
  const { next, keep } = options;
  return emitAdd(graph, emitMultiply(graph, moment, graph.scalar(keep)), emitMultiply(graph, next, graph.scalar(1 - keep)));
}

/** The numbers of each step. Powers by repeated multiplication: the rounding of `pow` differs between versions of V8. */
export function adamwSchedule(settings: AdamwSettings): (learningRate: number) => readonly [number, number, number] {
  let power1 = 1;
  let power2 = 1;
  return (learningRate) => {
    power1 *= settings.beta1;
    power2 *= settings.beta2;
    return [learningRate, 1 - power1, 1 - power2];
  };
}
