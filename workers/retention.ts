/** How long minute objects stay beside the day files that hold the same: the KEEP_MINUTES_DAYS variable. */

const MOST_DAYS = 10_000;

/** @returns whole days after the day's end; null to keep them for ever. @throws Error that says what is wrong with the variable. */
export function configuredRetention(text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 1 || days > MOST_DAYS)
    throw new Error(
      `KEEP_MINUTES_DAYS must be a whole number from 1 to ${MOST_DAYS}, or empty to delete nothing, and is: ${text.slice(0, 80)}`,
    );
  return days;
}
