/** Why a loss may have become NaN or infinite, from what is left in memory: which layer, and what to try. */

import type { ParameterSlot } from "../tensors/training-step.ts";
import type { SharedState } from "./shared-state.ts";

export function explainFailure(facts: {
  slots: readonly ParameterSlot[];
  shared: Pick<SharedState, "parameters" | "gradients">;
  checkpoint: string | null;
}): string {
  const { slots, shared, checkpoint } = facts;
  const part = (flat: Float32Array, { offset, size }: ParameterSlot): Float32Array => flat.subarray(offset, offset + size);
  const isBroken = (values: Float32Array): boolean => !values.every(Number.isFinite);
  const broken = slots.filter((slot) => isBroken(part(shared.parameters, slot)));
  const steep = slots.filter((slot) => shared.gradients.some((gradient) => isBroken(part(gradient, slot))));
  const blamed =
    broken.length > 0
      ? `the weights ${naming(broken)} are no numbers any more`
      : steep.length > 0 && steep.length < slots.length
        ? `the gradient of ${naming(steep)} is no number`
        : `the largest weight, ${largest(slots, shared.parameters)}`;
  const kept = checkpoint === null ? "" : `; the last checkpoint, if one was written, is good: ${checkpoint}`;
  return `${blamed}. Try a smaller --learning-rate, a warm-up (--warmup) or --clip-norm 1${kept}`;
}

function naming(slots: readonly ParameterSlot[]): string {
  const [first] = slots;
  return slots.length === 1 ? `${first?.name}` : `${first?.name} and ${slots.length - 1} others`;
}

function largest(slots: readonly ParameterSlot[], parameters: Float32Array): string {
  let [name, size] = ["", -1];
  for (const slot of slots) {
    for (const value of parameters.subarray(slot.offset, slot.offset + slot.size)) {
      if (Math.abs(value) > size) [name, size] = [slot.name, Math.abs(value)];
    }
  }
  return `${size.toPrecision(3)}, is in ${name}`;
}
