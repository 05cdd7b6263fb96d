/** Times as venues write them, from epoch ms, and when their clocks strike. */

/** `2021-07-22T22:36:10.014Z` */
export function isoMillis(time: number): string {
  return new Date(time).toISOString();
}

/** `2021-04-17T16:43:37.075000Z` */
export function isoMicros(time: number): string {
  return `${isoMillis(time).slice(0, -1)}000Z`;
}

/** `2026-09-01T10:16:18.822000000Z` */
export function isoNanos(time: number): string {
  return `${isoMillis(time).slice(0, -1)}000000Z`;
}

/** The first multiple of `step` after `value`: when a venue's clock strikes next. */
export function nextMultiple(value: number, step: number): number {
  return (Math.floor(value / step) + 1) * step;
}
