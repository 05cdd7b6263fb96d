/** Scores that no honest forecast of a liquid market has had at these horizons: a reason to look for what leaks, said before anybody believes them. */

import { SUSPICIOUS_FROM_MS, suspiciousR2 } from "../../evaluate/evaluate-run.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { ComparedResult } from "../comparison.ts";

export function suspicionsOf({ label }: Pick<AlignedData, "label">, models: readonly Pick<ComparedResult, "id" | "scores">[]): string[] {
  return models.flatMap(({ id, scores }) =>
    scores.flatMap(({ target, horizonMs, r2 }) => {
      const most = suspiciousR2({ label }, horizonMs);
      if (horizonMs < SUSPICIOUS_FROM_MS || r2 <= most) return [];
      return [
        `R² ${r2.toFixed(3)} of ${id}, ${target} at ${horizonMs / 1_000} s, is above ${most.toFixed(2)}: suspect a leak. \`edgebook leaks --data DIR\` asks the dataset, --source its records`,
      ];
    }),
  );
}
