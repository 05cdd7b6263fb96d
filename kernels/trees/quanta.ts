/**
 * From gradients to whole numbers: one 64-bit integer a row, the gradient's quanta above `hessianBits` bits of the hessian's. Their sum is the same
 * in whatever order it is made, which makes a model that does not depend on the number of threads.
 *
 * training/trees/quanta.ts chooses the scales, and proves there that no sum leaves its bits.
 */

/** 2^32 / golden ratio: multiples of it spread evenly over 32 bits (Knuth, TAOCP 3, 6.4). */
const GOLDEN: u32 = 2654435769;
const TWO_MINUS_32: f64 = 1.0 / 4294967296.0;

/** Fills `quanta` at rows [from, to). @param hessians 0: each counts 1. @param sums two float64, of the gradient's and the hessian's quanta. */
export function quantise(
  gradients: usize,
  hessians: usize,
  from: i32,
  to: i32,
  gradientScale: f64,
  hessianScale: f64,
  hessianBits: i64,
  quanta: usize,
  sums: usize,
): void {
  let gradientSum: i64 = 0;
  let hessianSum: i64 = 0;
  if (hessians === 0) {
    for (let row = usize(from); row < usize(to); row++) {
      const gradient = i64(nearest(f64(load<f32>(gradients + (row << 2))) * gradientScale));
      gradientSum += gradient;
      store<i64>(quanta + (row << 3), (gradient << hessianBits) + 1);
    }
    hessianSum = i64(to - from);
  } else {
    for (let row = usize(from); row < usize(to); row++) {
      const gradient = i64(nearest(f64(load<f32>(gradients + (row << 2))) * gradientScale));
      const hessian = hessianQuanta(load<f32>(hessians + (row << 2)), hessianScale, u32(row));
      gradientSum += gradient;
      hessianSum += hessian;
      store<i64>(quanta + (row << 3), (gradient << hessianBits) + hessian);
    }
  }
  store<f64>(sums, f64(gradientSum));
  store<f64>(sums, f64(hessianSum), 8);
}

/** The same for the rows listed at places [from, to), into the same places of `quanta`. */
export function quantiseRows(
  rows: usize,
  gradients: usize,
  hessians: usize,
  from: i32,
  to: i32,
  gradientScale: f64,
  hessianScale: f64,
  hessianBits: i64,
  quanta: usize,
  sums: usize,
): void {
  let gradientSum: i64 = 0;
  let hessianSum: i64 = 0;
  for (let place = usize(from); place < usize(to); place++) {
    const row = load<u32>(rows + (place << 2));
    const gradient = i64(nearest(f64(load<f32>(gradients + (usize(row) << 2))) * gradientScale));
    const hessian = hessians === 0 ? 1 : hessianQuanta(load<f32>(hessians + (usize(row) << 2)), hessianScale, row);
    gradientSum += gradient;
    hessianSum += hessian;
    store<i64>(quanta + (place << 3), (gradient << hessianBits) + hessian);
  }
  store<f64>(sums, f64(gradientSum));
  store<f64>(sums, f64(hessianSum), 8);
}

/** Rounds down or up so that many small ones, each below one quantum, still sum to what they are. */
// @ts-ignore: decorator
@inline
function hessianQuanta(hessian: f32, scale: f64, row: u32): i64 {
  return i64(f64(hessian) * scale + f64(row * GOLDEN) * TWO_MINUS_32);
}

/**
 * Draws `wanted` of the rows [from, to), each set of so many as likely as any other (Knuth, TAOCP 2, 3.4.2, algorithm S), ascending.
 * @param seed of this tree and these rows.
 */
export function drawRows(from: i32, to: i32, wanted: i32, seed: u64, rows: usize): void {
  let state = seed;
  let missing = u64(wanted);
  let at = rows;
  for (let row = from; row < to && missing > 0; row++) {
    state += 0x9e3779b97f4a7c15;
    // splitmix64 (S. Vigna, prng.di.unimi.it), its upper half.
    let word = state;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    if (((word >> 32) * u64(to - row)) >> 32 >= missing) continue;
    store<u32>(at, row);
    at += 4;
    missing--;
  }
}
