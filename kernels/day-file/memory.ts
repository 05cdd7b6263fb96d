/**
 * Where the kernel puts what it works on: one pile in the module's memory, begun anew for each block.
 *
 * Nothing is ever freed on its own. The pile is at most some five times the block's text (MOST_BLOCK_BYTES of core bounds that); a platform that
 * does not give so much makes the kernel trap, and the next block begins with an empty pile. Sixteen bytes behind the pile can always be read:
 * scans load more than they look at.
 */

/** Of a cache line, less one: entries of 32 bytes then never lie in two. */
const ALIGN: usize = 63;
const SLACK: usize = 64;
const PAGE_BITS: usize = 16;
/** 4 MB: a block makes the memory grow some ten times, not some hundreds. */
const LEAST_GROWTH: i32 = 64;

let top: usize = 0;

export function clearPile(): void {
  top = (__heap_base + ALIGN) & ~ALIGN;
}

/** @returns the address of so many bytes, of any content. */
export function take(bytes: usize): usize {
  const at = top;
  top = (at + bytes + ALIGN) & ~ALIGN;
  const missing = i32((top + SLACK) >>> PAGE_BITS) + 1 - memory.size();
  if (missing > 0 && memory.grow(max(missing, LEAST_GROWTH)) < 0 && memory.grow(missing) < 0) unreachable();
  return at;
}

export function takeZeros(bytes: usize): usize {
  const at = take(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

/** @returns where the same content stands now, with more room behind it. */
export function enlarge(at: usize, bytes: usize, wanted: usize): usize {
  if (((at + bytes + ALIGN) & ~ALIGN) === top) {
    top = at;
    return take(wanted);
  }
  const larger = take(wanted);
  memory.copy(larger, at, bytes);
  return larger;
}

/** Of two runs of bytes: eight bytes at a time; the last eight overlap those before. */
export function isEqual(one: usize, other: usize, length: i32): bool {
  if (length >= 8) {
    for (let at = 0; at < length - 8; at += 8) if (load<u64>(one + at) !== load<u64>(other + at)) return false;
    return load<u64>(one + length - 8) === load<u64>(other + length - 8);
  }
  for (let at = 0; at < length; at++) if (load<u8>(one + at) !== load<u8>(other + at)) return false;
  return true;
}
