/** A model's fault as a value. */

import type { ModelFault, ModelRefusal } from "./contract.ts";

export function refuseModel(fault: ModelFault, detail: string): ModelRefusal {
  return { ok: false, fault, detail };
}
