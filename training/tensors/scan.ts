/**
 * A recurrence over the first axis as one Scan node: the body runs once a step, with the states of the step before. One node of ONNX
 * for any number of steps, so a graph of 100 steps builds in milliseconds; unrolled it has thousands of nodes, and runs slower.
 *
 * What a step costs beside its arithmetic: half a microsecond a node, and one a stacked output. So what can be computed for all steps at
 * once belongs outside of the body only where the numbers stay in the processor's cache; inside they always do.
 */

import type { GraphBuilder, Value } from "./graph-builder.ts";
import { fixedSize } from "./shape.ts";

export interface Recurrence {
  /** What the first step starts from. */
  readonly initial: readonly Value[];
  /** [steps, …] each; a step sees its own part. */
  readonly inputs: readonly Value[];
  /** From the last step to the first; what is stacked keeps the order of time. */
  readonly isReversed: boolean;
  readonly step: (states: readonly Value[], inputs: readonly Value[]) => { states: readonly Value[]; stacked: readonly Value[] };
}

/** @returns the states after the last step, and [steps, …] of what every step gave out. */
export function emitScan(graph: GraphBuilder, recurrence: Recurrence): { final: Value[]; stacked: Value[] } {
  const { initial, inputs, isReversed } = recurrence;
  const steps = fixedSize(inputs[0]?.shape[0]);
  let given: readonly Value[] = [];
  const body = graph.body([...initial.map((value) => value.shape), ...inputs.map((value) => value.shape.slice(1))], (values) => {
    const { states, stacked } = recurrence.step(values.slice(0, initial.length), values.slice(initial.length));
    given = [...states, ...stacked];
    return given;
  });
  const outputs = graph.emitMany("Scan", [...initial, ...inputs], {
    shapes: given.map((value, index) => (index < initial.length ? value.shape : [steps, ...value.shape])),
    attributes: {
      body: { graph: body },
      num_scan_inputs: { int: inputs.length },
      scan_input_directions: { ints: inputs.map(() => (isReversed ? 1 : 0)) },
      scan_output_directions: { ints: given.slice(initial.length).map(() => (isReversed ? 1 : 0)) },
    },
  });
  return { final: outputs.slice(0, initial.length), stacked: outputs.slice(initial.length) };
}
