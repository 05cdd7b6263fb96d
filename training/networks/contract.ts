/** What a network is built for. Its forward pass takes [rows, columns], or [rows, window, columns] where the window is above 1, and answers [rows, outputs]. */

import type { Network } from "../tensors/training-step.ts";
import type { NetworkSize } from "./settings.ts";

export interface NetworkTask {
  readonly size: NetworkSize;
  readonly columns: number;
  readonly window: number;
  /** Numbers it answers for a row. Classes as logits, before the softmax of each group: losses want them so, and the head of the served graph turns them. */
  readonly outputs: number;
  /** Of the mlp; see settings.ts. */
  readonly hidden?: readonly number[] | undefined;
  readonly dropout?: number | undefined;
}

export type NetworkOf = (task: NetworkTask) => Network;
