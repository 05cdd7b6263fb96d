/** What a leak detector says. */

export interface LeakVerdict {
  readonly detector: string;
  /** What was changed, or looked at. */
  readonly what: string;
  /** What was found, in numbers. */
  readonly found: string;
  /** What has to be for the detector to be content. */
  readonly wanted: string;
  /** The plain sentence of a failure; null: passed. */
  readonly failure: string | null;
}
