/** What classes came beside what classes were said: the counts from which accuracy, macro-F1 and Matthews' coefficient follow. */

/** [rows] each: index of the class that came, and of the one that was said. */
export interface ClassRows {
  readonly actual: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
}

/** [classes x classes] row-major: how often class `actual` came where `predicted` was said. Throws for lengths that differ, and classes that aren't. */
export function confusionCounts({ actual, predicted }: ClassRows, classes: number): Float64Array {
  if (actual.length !== predicted.length) throw new RangeError(`${actual.length} classes beside ${predicted.length} that were said`);
  const counts = new Float64Array(classes * classes);
  for (let row = 0; row < actual.length; row++) {
    const [came, said] = [actual[row] as number, predicted[row] as number];
    if (!(came >= 0 && came < classes && said >= 0 && said < classes))
      throw new RangeError(`row ${row}: ${came} came, ${said} was said, of ${classes}`);
    const cell = came * classes + said;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
}

/** Share of rows whose class was said. @returns null without rows. */
export function accuracyOf(counts: ArrayLike<number>, classes: number): number | null {
  const { total, hits } = marginsOf(counts, classes);
  return total === 0 ? null : hits / total;
}

export interface ConfusionMargins {
  readonly total: number;
  readonly hits: number;
  /** [classes] how often each came. */
  readonly came: Float64Array;
  /** [classes] how often each was said. */
  readonly said: Float64Array;
}

export function marginsOf(counts: ArrayLike<number>, classes: number): ConfusionMargins {
  const came = new Float64Array(classes);
  const said = new Float64Array(classes);
  let [total, hits] = [0, 0];
  for (let cell = 0; cell < classes * classes; cell++) {
    const count = counts[cell] as number;
    const [actual, predicted] = [Math.floor(cell / classes), cell % classes];
    came[actual] = (came[actual] as number) + count;
    said[predicted] = (said[predicted] as number) + count;
    total += count;
    if (actual === predicted) hits += count;
  }
  return { total, hits, came, said };
}
