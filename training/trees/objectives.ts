/** What the trainer has to know of an objective before it counts anything. */

import type { TreeObjective } from "./contract.ts";

export function outputsOf(objective: TreeObjective): number {
  return objective.kind === "multiclass" ? objective.classes : 1;
}

/** The quantile of its rows' errors that a leaf adds; null: its sums say what. */
export function renewalLevel(objective: TreeObjective): number | null {
  if (objective.kind === "absolute-error") return 0.5;
  return objective.kind === "quantile" ? objective.level : null;
}

/** Whether rows have hessians that differ; else each counts 1. */
export function hasOwnHessians(objective: TreeObjective, isWeighted: boolean): boolean {
  return isWeighted || objective.kind === "log-loss" || objective.kind === "multiclass";
}
