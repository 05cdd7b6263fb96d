/** Speaks to the inference Worker. Model faults are values; what it throws is transport or a bug, and becomes InferenceUnreachable here. */

import type { InferenceRpc } from "./inference/contract.ts";

export class InferenceUnreachable extends Error {
  override readonly name = "InferenceUnreachable";
  readonly retryable = true;

  constructor(cause: unknown) {
    super("the inference Worker does not answer", { cause });
  }
}

/** @throws InferenceUnreachable */
export async function askInference<T>(inference: InferenceRpc, ask: (rpc: InferenceRpc) => Promise<T>): Promise<T> {
  try {
    return await ask(inference);
  } catch (cause) {
    throw new InferenceUnreachable(cause);
  }
}
