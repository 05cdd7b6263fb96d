/** The losses by name, each with the settings that it takes. */

import { absoluteError } from "./absolute-error.ts";
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import type { Loss } from "./contract.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { huber } from "./huber.ts";
import { quantile } from "./quantile.ts";
import { squaredError } from "./squared-error.ts";

export type LossSettings =
  | { readonly id: "squared" | "absolute" | "cross-entropy" | "binary-cross-entropy" }
  | { readonly id: "huber"; readonly delta: number }
  /** One level for each output. */
  | { readonly id: "quantile"; readonly levels: readonly number[] };

export const LOSS_IDS: readonly LossSettings["id"][] = [
  "squared",
  "absolute",
  "huber",
  "cross-entropy",
  "binary-cross-entropy",
  "quantile",
];

/** Throws RangeError where a setting is out of its range. */
export function lossOf(settings: LossSettings): Loss {
  switch (settings.id) {
    case "squared":
      return squaredError;
    case "absolute":
      return absoluteError;
    case "huber":
      return huber(settings.delta);
    case "cross-entropy":
      return crossEntropy;
    case "binary-cross-entropy":
      return binaryCrossEntropy;
    case "quantile":
      return quantile(settings.levels);
  }
}
