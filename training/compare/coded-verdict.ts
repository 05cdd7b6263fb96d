/**
 * Whether a forecaster should read through the autoencoder's code: the coded network beside its uncoded twin, by the time of a forecast and by skill. On by
 * default only where it is faster at no loss of skill.
 */

import type { CodedVerdict, ComparedResult } from "./comparison.ts";
import { CODED_TWINS } from "./models/network-list.ts";

/** Of the pairs that were both compared and scored. */
export function codedVerdicts(models: readonly ComparedResult[]): CodedVerdict[] {
  return CODED_TWINS.flatMap(([coded, plain]) => {
    const pair = [coded, plain].map((id) => models.find((model) => model.id === id));
    const [own, twin] = pair;
    if (own === undefined || twin === undefined) return [];
    const r2 = [meanMidR2(own), meanMidR2(twin)] as const;
    const microseconds = [own.costs.served?.medianMicroseconds ?? null, twin.costs.served?.medianMicroseconds ?? null] as const;
    if (r2[0] === null || r2[1] === null) return [];
    const isFaster = microseconds[0] !== null && microseconds[1] !== null && microseconds[0] < microseconds[1];
    return [{ coded, plain, microseconds, r2: [r2[0], r2[1]] as const, isOnByDefault: isFaster && r2[0] >= r2[1] }];
  });
}

function meanMidR2({ scores }: ComparedResult): number | null {
  const mids = scores.filter(({ target }) => target === "mid");
  return mids.length === 0 ? null : mids.reduce((sum, { r2 }) => sum + r2, 0) / mids.length;
}
