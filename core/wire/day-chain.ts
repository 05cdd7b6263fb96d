/**
 * The chain over a market's day files: each link's hash covers the one before and the head of its file, so that the newest names them all.
 *
 * A file that is written anew has another head, one that is taken out leaves a link that follows nothing: either changes every hash after it. Whoever
 * keeps one hash can tell years later whether the days before are the same.
 */

import { type Digest, hex } from "./day-file/format.ts";

export interface DayLink {
  readonly market: string;
  /** UTC, `yyyy-mm-dd`. */
  readonly day: string;
  readonly part: number;
  /** From 1 on, in the order in which the files were made. */
  readonly link: number;
  /** Of the file: 64 hex digits. */
  readonly head: string;
  /** Head of the file before; null of the first. */
  readonly previous: string | null;
  readonly chain: string;
}

/** What stands before the first link. */
const BEFORE_ALL = "0".repeat(64);

/** @param before the chain's hash up to the link before; null of the first. */
export async function chainHash(
  before: string | null,
  { market, day, part, head }: Pick<DayLink, "market" | "day" | "part" | "head">,
  digest: Digest,
): Promise<string> {
  const text = `${before ?? BEFORE_ALL} ${market} ${day} ${part} ${head}`;
  return hex(await digest(Uint8Array.from(text, (character) => character.charCodeAt(0))));
}

/**
 * @param links of one market, in any order. Where they begin later than with the first, the first of them is taken on trust: only its successors prove it.
 * @returns the first fault, for a person; null when each follows the one before.
 */
export async function faultOfChain(links: readonly DayLink[], digest: Digest): Promise<string | null> {
  const sorted = links.toSorted((a, b) => a.link - b.link);
  let before: DayLink | null = null;
  for (const link of sorted) {
    const name = `${link.market} ${link.day} part ${link.part}`;
    if (before !== null && link.link !== before.link + 1)
      return `${name} is link ${link.link} of its market's chain, and link ${before.link + 1} is missing`;
    if (before !== null && link.previous !== before.head)
      return `${name} follows a file with the head ${link.previous}, and ${before.day} part ${before.part} has ${before.head}`;
    if (before === null && link.link === 1 && link.previous !== null)
      return `${name} is the first of its market, and follows ${link.previous}`;
    if (before !== null || link.link === 1) {
      const chain = await chainHash(before?.chain ?? null, link, digest);
      if (chain !== link.chain) return `${name}: the chain's hash is ${chain}, and ${link.chain} is written down`;
    }
    before = link;
  }
  return null;
}
