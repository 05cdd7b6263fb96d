/** The windows of feature set v1. A window of s seconds ends at the row's grid time and holds the events received since that s seconds before. */

/** A full look back of the longest window, from the first whole second after a reset, which is up to one grid step later. */
export const LONGEST_WINDOW_SECONDS = 30;
export const WARMUP_MS = (LONGEST_WINDOW_SECONDS + 1) * 1_000;
/** Of flows, which lose their grip on the price within seconds. */
export const FLOW_WINDOWS_SECONDS: readonly number[] = [1, 5, 10];
export const LONGEST_FLOW_WINDOW_SECONDS = 10;
