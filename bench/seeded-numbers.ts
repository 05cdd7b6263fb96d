/**
 * Numbers that TypeScript and Python compute alike, bit for bit, so that neither parameters nor data of a comparison need to be stored or sent:
 * bench/peers/seeded_numbers.py says the same. The n-th number of a seed is MurmurHash3's finaliser (Appleby, public domain) over a Weyl sequence.
 */

/** Odd, 2^32 over the golden ratio: the Weyl sequence meets all 2^32 words before it repeats. */
const WEYL = 0x9e3779b9;
const SEED_STEP = 0x7feb352d;

/** 32 bits, unsigned. Both are taken modulo 2^32. */
export function seededBits(seed: number, index: number): number {
  let bits = (Math.imul(index, WEYL) + Math.imul(seed, SEED_STEP)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** On [-1, 1), a multiple of 2^-23: exact in float32. */
export function seededUniform(seed: number, index: number): number {
  return ((seededBits(seed, index) >>> 8) - 8_388_608) / 8_388_608;
}
