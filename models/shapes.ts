/** Shapes and sizes that follow from what a family or a manifest says. */

import type { AnswerKind, FamilyAnswer, ModelFamily, ModelManifest, ModelOutput } from "./contract.ts";

const OUTPUT_NAMES: Readonly<Record<AnswerKind, string>> = {
  moves: "moves_bps",
  classes: "probabilities",
  reconstruction: "reconstruction",
  "action-values": "action_values",
};

const KIND_OF_UNIT: Readonly<Record<ModelOutput["unit"], AnswerKind>> = {
  bps: "moves",
  probability: "classes",
  normalised: "reconstruction",
  reward: "action-values",
};

/** ["batch", columns], or ["batch", window, columns]. */
export function inputShape({ window }: Pick<ModelFamily, "window">, columns: number): readonly (number | "batch")[] {
  return window === 1 ? ["batch", columns] : ["batch", window, columns];
}

/** How many rows of history a manifest's model eats. Its shape has been checked against its family's by whoever read it. */
export function windowOf({ input }: Pick<ModelManifest, "input">): number {
  const [, window] = input.shape;
  return input.shape.length === 3 && typeof window === "number" ? window : 1;
}

export function kindOf(output: ModelOutput): AnswerKind {
  return KIND_OF_UNIT[output.unit];
}

/** @returns null when the family doesn't give answers of that kind. */
export function answerOfKind(family: Pick<ModelFamily, "answers">, kind: AnswerKind): FamilyAnswer | null {
  return family.answers.find((answer) => answer.kind === kind) ?? null;
}

/**
 * What a manifest says of an answer.
 * @param thresholdsBps of each question, for classes; 0 for those that have no "flat".
 */
export function outputOf(answer: FamilyAnswer, thresholdsBps: readonly number[]): ModelOutput {
  const name = OUTPUT_NAMES[answer.kind];
  if (answer.kind === "moves") return { name, columns: answer.columns, unit: "bps" };
  if (answer.kind === "reconstruction") return { name, unit: "normalised" };
  if (answer.kind === "action-values") return { name, unit: "reward", actions: answer.actions };
  const groups = answer.questions.map((question, index) => ({ ...question, thresholdBps: thresholdsBps[index] ?? 0 }));
  return { name, unit: "probability", groups };
}

/** How many numbers come out for one window of `inputs` numbers. */
export function outputWidth(output: ModelOutput, inputs: number): number {
  if (output.unit === "bps") return output.columns.length;
  if (output.unit === "normalised") return inputs;
  if (output.unit === "reward") return output.actions.length;
  return output.groups.reduce((sum, group) => sum + group.labels.length, 0);
}
