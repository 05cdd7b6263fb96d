/** How long the fuzz suite runs, and from which seed: fixed, so that a green run is green again, unless the environment says otherwise (docs/testing.md). */

/** Changed frames and answers of each venue. */
const CHANGES = 200_000;
const SEED = 20_261_127;

export const fuzzSeed = numberFrom("FUZZ_SEED", SEED);
export const fuzzChanges = numberFrom("FUZZ_CHANGES", CHANGES);

function numberFrom(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined || text === "") return otherwise;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number above zero, and is: ${text}`);
  return value;
}
