/** A digest of the elementary functions over many arguments: the same in every engine, or features are not. */

import { exponential, logOnePlus, naturalLog } from "../../core/math/elementary.ts";
import { ContentHash } from "../../core/math/hash.ts";
import { Random } from "../../core/math/random.ts";

export const ELEMENTARY_DIGEST = "4474af21b81d9f6b";

export function elementaryDigest(): string {
  const random = new Random(7);
  const hash = new ContentHash();
  for (let count = 0; count < 20_000; count++) {
    const uniform = random.uniform();
    hash
      .float(naturalLog(uniform * 1e9))
      .float(logOnePlus(uniform * 4 - 0.9))
      .float(logOnePlus((uniform - 0.5) * 1e-3))
      .float(exponential(uniform * 60 - 30));
  }
  return hash.digest();
}
