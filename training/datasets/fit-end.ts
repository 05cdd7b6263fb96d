/** Where columns that were fitted to rows (feature-fit.ts) may be judged: behind all of these. */

import { CommandError } from "../command-error.ts";
import type { DatasetCard } from "./card.ts";

/** @param from when the first row lies that chooses or scores. Throws CommandError where columns were fitted to such rows. */
export function refuseFittedLater({ fit, featureSet }: Pick<DatasetCard, "fit" | "featureSet">, from: number): void {
  if (fit === undefined || fit.until <= from) return;
  throw new CommandError(
    `columns of ${featureSet.id} were fitted to rows up to ${utc(fit.until)}, and rows from ${utc(from)} on choose or score: they would be judged by rows that they know. Make the dataset with --fit-until ${utc(from)} or earlier`,
  );
}

/** Up to the second: what is typed has no finer moments. */
export function utc(time: number): string {
  return `${new Date(Math.floor(time / 1_000) * 1_000).toISOString().slice(0, 19)}Z`;
}
