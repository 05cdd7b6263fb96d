/**
 * The order of test files in which no long one is begun last, to run alone while the other cores stand idle. Vitest knows it from its second run on, by how
 * long they took; a first run, as a CI's is, it begins with the largest.
 */

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** @param long what takes longest, longest first, as paths from the project's root; all others come behind. */
export function longestFirst(long: readonly string[]): typeof BaseSequencer {
  const placeOf = ({ moduleId }: TestSpecification): number => {
    const place = long.findIndex((file) => moduleId.endsWith(`/${file}`));
    return place < 0 ? long.length : place;
  };
  return class extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other));
    }
  };
}
