/**
 * A minute deleted from a folder of a market whose messages only the connection numbers: its tape can't show the loss, and the wrong book would pass as
 * clean, be exported, and be learned from.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { tapeKey } from "../../core/wire/keys.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { silent } from "../../training/progress.ts";
import { faultsOf, type ReplayReport, reportReplay } from "../../training/replay/replay-report.ts";
import { dayFilesIn, type VerifiedDay, verifyDays } from "../../training/verify/verify-days.ts";
import { layDown, makeDay } from "../archive/day-files.ts";
import { exportFiles, freshFolder, linesOf } from "../archive/workplace.ts";

const VENUE = "coinbase-advanced";
const SYMBOL = "BTC-USD";
const START = Date.UTC(2026, 0, 5, 10, 23);
const LOST = "nothing is recorded of 1 minute from 2026-01-05T10:24Z on";

/** Of `10:23` to `10:26`, a level that comes each 10 s and a checkpoint in none. Numbers of other markets' messages are left out. */
const MINUTES: readonly TapeRecord[][] = [0, 1, 2, 3].map((minute) => {
  const start = START + minute * 60_000;
  const cent = { decimals: 2, mantissa: 1 };
  const head: TapeRecord[] = [{ kind: "instrument", receivedAt: start, symbol: SYMBOL, tick: cent, lot: cent }];
  const opening: TapeRecord[] = [
    { kind: "open", receivedAt: start, connection: "1" },
    frame(start, {
      sequence: 0,
      type: "snapshot",
      levels: [
        ["bid", "100", "1"],
        ["offer", "101", "1"],
      ],
    }),
  ];
  const changes = [1, 2, 3, 4, 5].map((ten) =>
    frame(start + ten * 10_000, { sequence: minute * 30 + ten * 5, type: "update", levels: [["bid", `9${minute}.0${ten}`, "2"]] }),
  );
  return [...head, ...(minute === 0 ? opening : []), ...changes];
});

interface Said {
  readonly sequence: number;
  readonly type: string;
  readonly levels: readonly (readonly [side: string, price: string, size: string])[];
}

function frame(receivedAt: number, { sequence, type, levels }: Said): TapeRecord {
  const time = new Date(receivedAt).toISOString();
  const updates = levels.map(([side, price, size]) => ({ side, event_time: time, price_level: price, new_quantity: size }));
  const events = [{ type, product_id: SYMBOL, updates }];
  return { kind: "frame", receivedAt, text: JSON.stringify({ channel: "l2_data", timestamp: time, sequence_num: sequence, events }) };
}

/** As `pull` leaves it. @param without which of the minutes is deleted. */
function folder(without: number | null): string {
  const out = freshFolder();
  for (const [minute, records] of MINUTES.entries()) {
    if (minute === without) continue;
    const path = join(out, tapeKey(VENUE, SYMBOL, START + minute * 60_000));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, gzipSync(records.map(encodeTapeRecord).join("")));
  }
  return out;
}

async function replay(path: string): Promise<ReplayReport> {
  const [source] = await fileSources([path], { venue: null, market: null });
  if (source === undefined) throw new Error("no source");
  return reportReplay(source, silent);
}

async function exported(path: string): Promise<{ kinds: string[]; gaps: unknown[] }> {
  const lines = linesOf((await exportFiles([path], {})).markets[0]?.files[0]?.path ?? "").slice(1);
  const events = lines.map((line) => JSON.parse(line) as { kind: string });
  return { kinds: [...new Set(events.map(({ kind }) => kind))].sort(), gaps: events.filter(({ kind }) => kind === "gap") };
}

async function minuteRows(path: string): Promise<number> {
  const files = (await exportFiles([path], { form: "csv" })).markets[0]?.files ?? [];
  const minutes = files.find(({ path: of }) => of.includes("minutes"));
  return minutes === undefined ? 0 : linesOf(minutes.path).length - 1;
}

describe("a folder of minutes of which one is missing", () => {
  it("replays without a book behind it, and the check refuses it with the minute's name", async () => {
    const [whole, holed] = await Promise.all([replay(folder(null)), replay(folder(1))]);
    expect(whole.markets).toMatchObject([{ state: "live", gaps: [], bidLevels: 21 }]);
    expect(holed.markets).toMatchObject([
      { state: "syncing", bidLevels: 0, gaps: [{ channel: "depth", from: START + 50_000, to: null, detail: LOST }] },
    ]);
    expect(faultsOf(holed).join("\n")).toContain(LOST);
  });

  it("is exported with a gap, and with no change of a book behind it", async () => {
    expect(await exported(folder(null))).toEqual({ kinds: ["depth", "snapshot"], gaps: [] });
    const { gaps } = await exported(folder(1));
    expect(gaps).toMatchObject([{ from: START + 50_000, to: null, detail: LOST }]);
    // Its last known moment is 10:23:50: no row of a minute's end is made of the hole, nor of what follows.
    expect([await minuteRows(folder(null)), await minuteRows(folder(1))]).toEqual([3, 0]);
  });

  it("and a day file that lacks a minute is found wanting, whole as it is", async () => {
    const market = `${VENUE}:${SYMBOL}`;
    const verified = async (minutes: readonly TapeRecord[][]): Promise<VerifiedDay | undefined> => {
      const out = freshFolder();
      await layDown(out, [await makeDay(minutes.flat(), { day: "2026-01-05", market })]);
      const minutesOf = () => Promise.resolve(new Map());
      return (await verifyDays(await dayFilesIn([out]), { listed: [], minutesOf, progress: silent })).files[0];
    };
    expect((await verified(MINUTES))?.fault).toMatch(/^nothing was compared/);
    expect((await verified(MINUTES.filter((_, minute) => minute !== 1)))?.fault).toBe(
      `${LOST}, and the tape doesn't say why: they are lost`,
    );
  });
});

describe("a dataset of a book that is silent for 20 s each minute", () => {
  it("counts them among its gaps where they are asked for: its rows are the same, and would pass as those of a book that never stopped", async () => {
    const sources = await fileSources([folder(null)], { venue: null, market: null });
    const cardOf = (told: { silenceMs?: number }) =>
      buildDataset({ sources, folder: freshFolder(), command: ["test"], progress: silent, ...told });
    const [plain, asked] = [await cardOf({}), await cardOf({ silenceMs: 15_000 })];
    expect(plain.parts[0]?.gaps).toEqual({});
    expect(asked.parts[0]?.gaps).toEqual({ silence: 3 });
    expect(asked.sha256).toBe(plain.sha256);
  });
});
