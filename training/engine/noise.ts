/**
 * The randomness of training, all of it a function of the seed and of where one is: a training that goes on from a checkpoint draws what it would have
 * drawn, and no state of a generator has to be kept.
 */

import { mixed } from "../../core/math/hash.ts";
import { Random, splitmix64 } from "../../core/math/random.ts";

const GOLDEN_64 = 0x9e37_79b9_7f4a_7c15n;
const GOLDEN_32 = 0x9e37_79b9;
const TWO_MINUS_24 = 1 / 16_777_216;

/** Draws the order of the rows in an epoch (counted from 1) into `order`, of which it fills all. Fisher and Yates, in Durstenfeld's form. */
export function drawOrder(order: Uint32Array, draw: () => number): void {
  for (let index = 0; index < order.length; index++) order[index] = index;
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(draw() * (last + 1));
    const kept = order[last] as number;
    order[last] = order[other] as number;
    order[other] = kept;
  }
}

/** Epoch 0 draws the first weights. The state is the next four words of splitmix64's stream, so no two epochs share one. */
export function randomOfEpoch(seed: number, epoch: number): () => number {
  const random = new Random(seed);
  random.setState(splitmix64(BigInt(seed) + 4n * BigInt(epoch) * GOLDEN_64, 4));
  return () => random.uniform();
}

/** Fills `noise` with uniform numbers on [0, 1) of 24 bits: MurmurHash3's finaliser, twice, over a counter. For dropout, not for secrets. */
export function fillNoise(noise: Float32Array, key: { seed: number; call: number; worker: number }): void {
  const [first, second] = keysOf(key);
  for (let index = 0; index < noise.length; index++) {
    noise[index] = (mixed(mixed(Math.imul(index, GOLDEN_32) + first) ^ second) >>> 8) * TWO_MINUS_24;
  }
}

function keysOf({ seed, call, worker }: { seed: number; call: number; worker: number }): readonly [number, number] {
  let key = mixed(seed | 0) ^ Math.imul(Math.floor(seed / 4_294_967_296) + 1, GOLDEN_32);
  key = mixed(key + Math.imul(call, GOLDEN_32)) ^ Math.floor(call / 4_294_967_296);
  key = mixed(key + Math.imul(worker + 1, 0x85eb_ca6b));
  return [key, mixed(key ^ GOLDEN_32)];
}
