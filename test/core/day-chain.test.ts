import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { chainHash, type DayLink, faultOfChain } from "../../core/wire/day-chain.ts";

const MARKET = "bitmex:XBTUSD";

describe("the chain over a market's days", () => {
  it("is SHA-256 of what is written beside it, so that anybody can work it out with sha256sum", async () => {
    const head = "ab".repeat(32);
    const text = `${"0".repeat(64)} bitmex:XBTUSD 2026-01-05 0 ${head}`;
    const expected = createHash("sha256").update(text).digest("hex");
    expect(await chainHash(null, { market: MARKET, day: "2026-01-05", part: 0, head }, sha256)).toBe(expected);
  });

  it("is whole in any order, and from any link on", async () => {
    const links = await chainOf(5);
    expect(await faultOfChain(links.toReversed(), sha256)).toBeNull();
    expect(await faultOfChain(links.slice(2), sha256)).toBeNull();
    expect(await faultOfChain([], sha256)).toBeNull();
  });

  it("shows every field that was changed, in every link", async () => {
    const links = await chainOf(4);
    const changes: Partial<DayLink>[] = [
      { day: "2026-02-01" },
      { part: 3 },
      { head: "cd".repeat(32) },
      { chain: "ef".repeat(32) },
      { previous: "01".repeat(32) },
    ];
    for (const [at] of links.entries()) {
      for (const change of changes) {
        const changed = links.map((link, index) => (index === at ? { ...link, ...change } : link));
        expect(await faultOfChain(changed, sha256), `${at} ${Object.keys(change).join()}`).not.toBeNull();
      }
    }
  });

  it("shows a link that was taken out with all its traces, by whoever kept the newest hash", async () => {
    const links = await chainOf(4);
    const without = await chainOf(4, 2);
    expect(await faultOfChain(without, sha256)).toBeNull();
    expect(without.at(-1)?.chain).not.toBe(links.at(-1)?.chain);
  });
});

/** @param leftOut the day that is taken out, the others being chained anew. */
async function chainOf(count: number, leftOut?: number): Promise<DayLink[]> {
  const links: DayLink[] = [];
  for (let day = 1; day <= count; day++) {
    if (day === leftOut) continue;
    const before = links.at(-1);
    const link = { market: MARKET, day: `2026-01-0${day}`, part: 0, head: String(day).repeat(64) };
    const chain = await chainHash(before?.chain ?? null, link, sha256);
    links.push({ ...link, link: links.length + 1, previous: before?.head ?? null, chain });
  }
  return links;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
