/** Every model family there is: adding one is a folder here and a line below. */

import type { ModelFamily } from "./contract.ts";
import { mlp } from "./mlp/family.ts";

export const MODEL_FAMILIES: ReadonlyMap<string, ModelFamily> = new Map([[mlp.id, mlp]]);
