/**
 * The price path of the open minute, as it grows: each feature row's best prices, warm or not, behind one another as text (core/wire/price-path.ts).
 *
 * A row that goes on with the segment of the last one says so, over the end of a minute too. Whatever is lost between them, by the bound of a minute's text or with a
 * process, makes the next one begin a segment.
 */

import { FEATURE_INTERVAL_MS, type FeatureRow } from "../core/features/contract.ts";
import { encodePathRow, isPathRow, MAX_PATH_CHARACTERS, type PathRow } from "../core/wire/price-path.ts";

type PathSource = Pick<FeatureRow, "featureTime" | "bidTicks" | "askTicks" | "segment">;

export class PathTally {
  private text = "";
  /** The last row that is in a text, of this minute or the one before; null where the next can't go on from it. */
  private last: PathRow | null = null;
  private lastSegment = 0;

  /** What the open minute has so far; null for no row. */
  get soFar(): string | null {
    return this.text === "" ? null : this.text;
  }

  add({ featureTime, bidTicks, askTicks, segment }: PathSource): void {
    const { last } = this;
    const goesOn = last !== null && segment === this.lastSegment && featureTime === last.featureTime + FEATURE_INTERVAL_MS;
    const row: PathRow = { featureTime, bidTicks, askTicks, isBreak: !goesOn };
    const more = encodePathRow(row, this.text === "" ? null : last);
    const fits = isPathRow(row) && this.text.length + more.length <= MAX_PATH_CHARACTERS;
    this.last = fits ? row : null;
    this.lastSegment = segment;
    if (fits) this.text += more;
  }

  /** A process that died in the open minute had written this of it. Its books are gone, so what comes begins a segment. */
  resume(text: string | null): void {
    this.text = text ?? "";
  }

  /** Opens the next minute. @returns the text of the one that ends; null for no row. */
  close(): string | null {
    const { soFar } = this;
    this.text = "";
    return soFar;
  }
}
