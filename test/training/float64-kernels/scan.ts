/** Scan: a body run once for each step along an axis. */

import { axisOf, type Float64Tensor, type Kernels, needed, offsets, pick, stridesOf } from "./kernel.ts";
import { joined } from "./movement.ts";

export const SCAN: Kernels = {
  Scan: (call) => {
    const { attributes } = call;
    const scans = attributes.int("num_scan_inputs", 0);
    const inputs = call.inputs.map((_, index) => needed(call, index));
    let states = inputs.slice(0, inputs.length - scans);
    const sequences = inputs.slice(inputs.length - scans);
    const axes = sequences.map((sequence, index) => axisOf(attributes.ints("scan_input_axes")?.[index] ?? 0, sequence.shape.length));
    const isBackwards = (name: string, index: number) => attributes.ints(name)?.[index] === 1;
    const steps = sequences[0]?.shape[axes[0] as number] ?? 0;
    const made: Float64Tensor[][] = [];
    for (let step = 0; step < steps; step++) {
      const elements = sequences.map((sequence, index) => {
        const at = isBackwards("scan_input_directions", index) ? steps - 1 - step : step;
        return element(sequence, axes[index] as number, at);
      });
      const outputs = call.runBody(attributes.graph("body"), [...states, ...elements]);
      states = outputs.slice(0, states.length);
      for (const [index, output] of outputs.slice(states.length).entries()) {
        const list = made[index] ?? [];
        made[index] = list;
        if (isBackwards("scan_output_directions", index)) list.unshift(output);
        else list.push(output);
      }
    }
    return [...states, ...made.map((list, index) => stacked(list, attributes.ints("scan_output_axes")?.[index] ?? 0))];
  },
};

/** The slice at `index`, without the axis. */
function element(tensor: Float64Tensor, axis: number, index: number): Float64Tensor {
  const strides = stridesOf(tensor.shape);
  const kept = <T>(list: readonly T[]): T[] => list.filter((_, other) => other !== axis);
  const shape = kept(tensor.shape);
  return pick(tensor, offsets(shape, kept(strides), index * (strides[axis] as number)), shape);
}

function stacked(list: readonly Float64Tensor[], listed: number): Float64Tensor {
  const axis = axisOf(listed, (list[0]?.shape.length ?? 0) + 1);
  return joined(
    list.map(({ shape, data }) => ({ shape: [...shape.slice(0, axis), 1, ...shape.slice(axis)], data })),
    axis,
  );
}
