/**
 * Losses prevented: an archive that is not what was received; a silence of the venue's that no ledger knows; a comparison that would not have seen either. A real
 * market's books and trades, served through BitMEX's protocol at full speed, recorded, archived and exported, are the import again. The first of the recorded
 * days, an hour of it; `npm run bench -- standx` plays all three.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareEvents } from "../../bench/circle/compare-events.ts";
import { runCircle } from "../../bench/standx.ts";
import { encodeEventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";

const FILES = ["diffL20_2026-01-05.ndjson.gz", "trades_2026-01-05.csv.gz"].map((name) => recording(`l2/standx-btc-usd/${name}`));
const files = FILES.filter((file) => file !== null);
const isThere = files.length === FILES.length;

describe(`a recording served through BitMEX's protocol ${isThere ? "" : WITHOUT_RECORDINGS}`, () => {
  it.skipIf(!isThere)("is archived and exported as it was imported, and each of its silences is in the ledger", async () => {
    const { played, compared } = await runCircle({ files, hours: 0.5 });
    expect(compared.differences).toEqual([]);
    expect(compared).toMatchObject({ unequalMoments: 0, unequalTrades: 0, longerSilences: 0, missingSilences: 0, otherGaps: {} });
    // An hour has some 5,000 books that change, 1,000 trades, and a silence each 36 s.
    expect(compared.moments).toBeGreaterThan(4_000);
    expect(compared.trades).toBeGreaterThan(500);
    expect(compared.silences).toBeGreaterThan(40);
    expect(played.malformedFrames).toBe(0);
    expect(new Set(played.ledger.map(({ reason }) => reason))).toEqual(new Set(["started", "silence"]));
    expect(played.dayFileBytes * 10).toBeLessThan(played.tapeBytes);
  });
});

const AT = Date.UTC(2026, 0, 5, 12);
const GRIDS = { tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };
const folder = mkdtempSync(join(tmpdir(), "edgebook-circle-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const times = (at: number) => ({ receivedAt: AT + at, venueTime: AT + at });
const book = { kind: "snapshot", ...times(0), sequence: null, bids: [[100, 5]], asks: [[102, 5]] } as const satisfies MarketRecord;
const change = { kind: "depth", ...times(1_000), sequence: null, bids: [[101, 7]], asks: [] } as const satisfies MarketRecord;
const trade = {
  kind: "trade",
  ...times(1_500),
  tradeId: null,
  priceTicks: 102,
  sizeLots: 3,
  takerSide: "buy",
} as const satisfies MarketRecord;
const silence = {
  kind: "gap",
  receivedAt: AT + 9_000,
  from: AT + 1_000,
  to: AT + 9_000,
  reason: "silence",
  detail: "",
} as const satisfies MarketRecord;
const after = { ...change, ...times(9_000), bids: [[101, 0]] } as const satisfies MarketRecord;
const WHOLE: readonly MarketRecord[] = [book, change, trade, silence, after];

function compare(recorded: readonly MarketRecord[]): ReturnType<typeof compareEvents> {
  return compareEvents(fileOf("import", WHOLE), fileOf("export", recorded));
}

function fileOf(name: string, records: readonly MarketRecord[]): string {
  const path = join(folder, `${name}.events.ndjson`);
  const header = encodeEventsHeader({ market: "x:Y", ...GRIDS, source: "a test" });
  writeFileSync(path, [header, ...records.map((record) => encodeMarketRecord(record, GRIDS)), ""].join("\n"));
  return path;
}

describe("the comparison of an export with its import", () => {
  it("finds the same to be the same, told in other steps, with a made-up id, received a little later", async () => {
    const later = { ...trade, receivedAt: AT + 1_580, tradeId: "77" };
    const cut: MarketRecord[] = [{ ...change, bids: [[101, 9]] }, change];
    expect(await compare([book, ...cut, later, silence, after])).toMatchObject({
      ...{
        moments: 3,
        unequalMoments: 0,
        trades: 1,
        unequalTrades: 0,
        silences: 1,
        longerSilences: 0,
        missingSilences: 0,
        differences: [],
      },
    });
  });

  it("counts a silence that ended with a book that said nothing new, and lasts for the protocol until the next change", async () => {
    const longer = { ...silence, receivedAt: AT + 9_500, to: AT + 9_500 };
    expect(await compare([book, change, trade, after, longer])).toMatchObject({ longerSilences: 1, missingSilences: 0, differences: [] });
  });

  it.each<[string, readonly MarketRecord[], object]>([
    ["a size that is another", [book, { ...change, bids: [[101, 8]] }, trade, silence, after], { unequalMoments: 1 }],
    ["a change that is not there", [book, trade, silence, after], { unequalMoments: 1 }],
    ["a change at another time of the venue's", [book, { ...change, venueTime: AT + 999 }, trade, silence, after], { unequalMoments: 1 }],
    ["a level that is in the export alone", [book, change, trade, silence, { ...after, asks: [[103, 1]] }], { unequalMoments: 1 }],
    ["a trade that is not there", [book, change, silence, after], { unequalTrades: 1 }],
    ["a trade of another size", [book, change, { ...trade, sizeLots: 4 }, silence, after], { unequalTrades: 1 }],
    ["a trade of the other side", [book, change, { ...trade, takerSide: "sell" }, silence, after], { unequalTrades: 1 }],
    ["a silence that is not there", [book, change, trade, after], { missingSilences: 1 }],
    ["a silence that ends before it does", [book, change, trade, { ...silence, to: AT + 8_000 }, after], { missingSilences: 1 }],
    ["a silence that begins after it did", [book, change, trade, { ...silence, from: AT + 2_000 }, after], { missingSilences: 1 }],
  ])("sees %s", async (_, recorded, expected) => {
    const report = await compare(recorded);
    expect(report).toMatchObject(expected);
    expect(report.differences).toHaveLength(1);
  });
});
