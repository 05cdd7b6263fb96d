/** A replay beside a running instance: what differs by one bit is told, and what can't be compared is not called equal by mistake. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { type Comparison, compareWithRunning } from "../../training/replay/compare-with-running.ts";
import type { MarketReport } from "../../training/replay/replay-report.ts";

const MARKET = "binance-spot:TESTUSDT";
const MINUTE = 1_767_225_660_000;
const REPORT: MarketReport = {
  market: MARKET,
  tick: "0.01",
  lot: "0.001",
  malformedFrames: 0,
  trades: 0,
  quotes: { all: 8, withoutBook: 0, passedOver: 0, undecided: 0, betweenNumbers: 0 },
  unmatched: [],
  state: "live",
  lastSequence: 77,
  marketTime: MINUTE,
  bidTicks: 100,
  askTicks: 101,
  bidLevels: 5,
  askLevels: 5,
  bookHash: "b00c",
  comparisons: 8,
  mismatches: 0,
  topLevels: null,
  checkpointMismatches: 0,
  gaps: [],
  fingerprint: "f1",
  featureRows: 2,
  warmRows: 2,
  rowsHash: "d1ge57",
};
const ROWS = new Map([
  [MINUTE, [0.1, 0, -3]],
  [MINUTE + 60_000, [0.2, 1, 4]],
]);

interface Instance {
  readonly lastSequence: number;
  readonly contentHash: string;
  readonly mismatches: number;
  readonly featureRows: { readonly count: number; readonly hash: string };
  readonly stored: readonly ({ readonly featureTime: number; readonly fingerprint: string; readonly row: readonly number[] } | null)[];
}

const SAME: Instance = {
  lastSequence: 77,
  contentHash: "b00c",
  mismatches: 0,
  featureRows: { count: 2, hash: "d1ge57" },
  stored: [
    { featureTime: MINUTE, fingerprint: "f1", row: [0.1, 0, -3] },
    null,
    { featureTime: MINUTE + 60_000, fingerprint: "f1", row: [0.2, 1, 4] },
  ],
};

/** An address that answers as the public API of an instance would. */
let instance = SAME;
let server: Server;
let address: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const answer = answerOf(instance, request.url ?? "");
    response.writeHead(answer === null ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  });
  address = await addressOf(server);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function addressOf(listener: Server): Promise<string> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const bound = listener.address();
  return `http://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`;
}

function answerOf({ lastSequence, contentHash, mismatches, featureRows, stored }: Instance, url: string): unknown {
  const market = `/v1/markets/${encodeURIComponent(MARKET)}`;
  if (url === market) return { proof: { lastSequence, comparisons: 8, mismatches }, featureRows };
  if (url.startsWith(`${market}/book?`)) return { contentHash, proof: { lastSequence } };
  if (url.startsWith(`${market}/snapshots?`)) return { snapshots: stored.map((features) => ({ features })) };
  return null;
}

async function compareWith(changes: Partial<Instance>): Promise<Comparison> {
  instance = { ...SAME, ...changes };
  return compareWithRunning(REPORT, address, ROWS);
}

/** The second stored row with one number changed. */
function stored(changes: { fingerprint?: string; row?: readonly number[] }): Instance["stored"] {
  return [SAME.stored[0] ?? null, { featureTime: MINUTE + 60_000, fingerprint: "f1", row: [0.2, 1, 4], ...changes }];
}

describe("a running instance that was fed the same recording", () => {
  it("is equal where its book, its digest and its stored rows are the replay's, each of them compared", async () => {
    expect(await compareWith({})).toEqual({
      isEqual: true,
      lines: [
        "book: hash b00c there, b00c here, at sequence 77",
        "features: digest of 2 rows d1ge57 there, d1ge57 here",
        "stored minutes: 2 feature rows compared bit by bit, 0 differ",
        "there: 8 comparisons with the venue's quote, 0 mismatches",
      ],
    });
  });

  it.each<[string, Partial<Instance>, RegExp]>([
    ["another book", { contentHash: "bad" }, /hash bad there, b00c here/],
    ["a book at another place", { lastSequence: 78 }, /at sequence 78, the replay at 77; they can't be compared/],
    ["another digest of as many rows", { featureRows: { count: 2, hash: "0" } }, /digest of 2 rows 0 there, d1ge57 here/],
    ["a stored number off by its last bit", { stored: stored({ row: [0.2, 1, 4.000000000000001] }) }, /2 feature rows .* 1 differ: at \d+/],
    ["a stored row cut short", { stored: stored({ row: [0.2, 1] }) }, /1 differ/],
    ["a book that was not its venue's", { mismatches: 1 }, /1 mismatches/],
  ])("differs by %s: called equal, what is served would not be what was trained on", async (_, changes, line) => {
    const comparison = await compareWith(changes);
    expect(comparison.isEqual).toBe(false);
    expect(comparison.lines.join("\n")).toMatch(line);
  });

  it("says what it could not compare: after a restart its digest is of fewer rows, and rows of other features are none of ours", async () => {
    const restarted = await compareWith({ featureRows: { count: 1, hash: "0" }, stored: stored({ fingerprint: "f2", row: [9] }) });
    expect(restarted.isEqual).toBe(true);
    expect(restarted.lines[1]).toBe("features: 1 rows there, 2 here; their digests can't be compared");
    expect(restarted.lines[2]).toBe("stored minutes: 1 feature rows compared bit by bit, 0 differ");
  });

  it("that does not know the market, or does not answer, is an error and no verdict", async () => {
    await expect(compareWithRunning({ ...REPORT, market: "binance-spot:OTHER" }, address, ROWS)).rejects.toThrow(CommandError);
    const gone = createServer();
    const nobody = await addressOf(gone);
    gone.close();
    await expect(compareWithRunning(REPORT, nobody, ROWS)).rejects.toThrow(/does not answer .* is it running\?/);
  });
});
