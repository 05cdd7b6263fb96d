/**
 * What an instance has said of a market's day files, kept beside them in `chain.json`: the proof that they are the ones it named, and that it still names the
 * same. Links once written down stay; an instance that tells them otherwise has rewritten its history.
 */

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseMarketId } from "../../core/market/instrument.ts";
import { type DayLink, faultOfChain } from "../../core/wire/day-chain.ts";
import { dayFileKey } from "../../core/wire/keys.ts";
import { ArchiveError } from "../archive-error.ts";
import { sha256 } from "../day-file.ts";

export const CHAIN_FILE = "chain.json";

export const knownDayShape = z.object({
  market: z.string(),
  day: z.string(),
  part: z.number(),
  link: z.number(),
  head: z.string(),
  previous: z.string().nullable(),
  chain: z.string(),
  bytes: z.number(),
});

export type KnownDay = DayLink & { readonly bytes: number };

/** Under the folder that was pulled into, as in the bucket. Throws ArchiveError for a market that is none. */
export function dayPath({ market, day, part, head }: DayLink): string {
  const name = parseMarketId(market);
  if (name === null) throw new ArchiveError(`the instance lists a day file of ${market}, which is no market`);
  return dayFileKey({ ...name, day, part, head });
}

/** @param folder of the market's day files. @returns none where there is no chain.json. */
export async function readKnownDays(folder: string): Promise<KnownDay[]> {
  const path = join(folder, CHAIN_FILE);
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return [];
  try {
    return z.array(knownDayShape).parse(JSON.parse(text));
  } catch (error) {
    throw new ArchiveError(
      `${path} can't be read (${error instanceof Error ? error.message.slice(0, 200) : String(error)}): delete it and pull again`,
    );
  }
}

/** Throws ArchiveError when the two don't go together, or are no chain. @returns all links, in their order. */
export async function joinKnownDays(before: readonly KnownDay[], listed: readonly KnownDay[]): Promise<KnownDay[]> {
  const links = new Map(before.map((link) => [link.link, link]));
  for (const link of listed) {
    const known = links.get(link.link);
    if (known !== undefined && known.chain !== link.chain)
      throw new ArchiveError(
        `${link.market}: link ${link.link} of its days was ${known.day} part ${known.part} with the head ${known.head}, and is now ${link.day} part ${link.part} with ${link.head}: its history was rewritten`,
      );
    links.set(link.link, link);
  }
  const joined = [...links.values()].sort((a, b) => a.link - b.link);
  // A pull of some days leaves holes between them; each stretch has to be a chain.
  for (let from = 0; from < joined.length; ) {
    let to = from + 1;
    while (to < joined.length && joined[to]?.link === (joined[to - 1]?.link ?? 0) + 1) to++;
    const fault = await faultOfChain(joined.slice(from, to), sha256);
    if (fault !== null) throw new ArchiveError(fault);
    from = to;
  }
  return joined;
}

export async function writeKnownDays(folder: string, days: readonly KnownDay[]): Promise<void> {
  const path = join(folder, CHAIN_FILE);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, `${JSON.stringify(days, null, 1)}\n`);
  await rename(`${path}.partial`, path);
}
