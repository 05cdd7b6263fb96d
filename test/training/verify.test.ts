/** `edgebook verify`: a day that was changed, taken out, or is not what the feed had seen, and is passed as whole. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { KnownDay } from "../../archive/pull/known-days.ts";
import { dayOf } from "../../core/units/time.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { silent } from "../../training/progress.ts";
import { reportReplay } from "../../training/replay/replay-report.ts";
import type { MinuteBook } from "../../training/verify/day-replay.ts";
import { dayFilesIn, type VerifyReport, verifyDays } from "../../training/verify/verify-days.ts";
import { type Lived, layDown, live, MARKET, type MadeDay, makeDay, twoDays } from "../archive/day-files.ts";
import { exportFiles, freshFolder, linesOf } from "../archive/workplace.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
let days: [MadeDay, MadeDay];
let lived: Lived;

beforeAll(async () => {
  ({ days, lived } = await twoDays());
});

async function verify(
  paths: readonly string[],
  { minutes = lived.minutes, listed = [] }: { minutes?: readonly MinuteBook[]; listed?: readonly KnownDay[] } = {},
): Promise<VerifyReport> {
  const minutesOf = (_: string, day: string) =>
    Promise.resolve(new Map(minutes.filter(({ minute }) => dayOf(minute) === day).map((row) => [row.minute, row])));
  return verifyDays(await dayFilesIn(paths), { listed, minutesOf, progress: silent });
}

describe("two days that follow each other", () => {
  it("are whole: every hash, the chain, the checkpoints, and the book of each minute, over midnight with one book", async () => {
    const out = freshFolder();
    await layDown(out, days);
    const { fault, files } = await verify([out]);
    expect(fault).toBeNull();
    expect(files).toMatchObject([
      { market: MARKET, day: "2026-01-05", chain: "linked", gaps: 0 },
      { market: MARKET, day: "2026-01-06", chain: "linked", gaps: 0 },
    ]);
    // 23:58 and 23:59 before midnight, which ends the second; of the last minute of all nobody has stored a row.
    expect(files.map(({ minutesCompared, minutesNotCompared }) => [minutesCompared, minutesNotCompared])).toEqual([
      [2, 0],
      [1, 0],
    ]);
    expect(files.map(({ checkpoints, checkpointsCompared }) => [checkpoints, checkpointsCompared])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it("are found wanting where a minute's stored book is another, and the first such minute is named", async () => {
    const out = freshFolder();
    await layDown(out, days);
    const minutes = lived.minutes.map((row, index) => (index === 1 ? { ...row, bookHash: "0123456789abcdef" } : row));
    expect((await verify([out], { minutes })).fault).toMatch(/2026-01-05.*the book at the end of 2026-01-05T23:59.* 0123456789abcdef/);
  });

  it("are found wanting where a frame is missing, though its file was written anew with all its hashes right", async () => {
    const records = lived.records.filter(({ receivedAt }) => receivedAt < Date.UTC(2026, 0, 6));
    const lost = records.findIndex(
      (record, index) => index > records.length / 2 && record.kind === "frame" && record.text.includes("depthUpdate"),
    );
    const out = freshFolder();
    const anew = await makeDay(
      records.filter((_, index) => index !== lost),
      { day: "2026-01-05" },
    );
    const second = await makeDay(
      lived.records.filter(({ receivedAt }) => receivedAt >= Date.UTC(2026, 0, 6)),
      { day: "2026-01-06", before: anew.link },
    );
    await layDown(out, [anew, second]);
    const report = await verify([out]);
    expect(report.files.some(({ gaps }) => gaps > 0)).toBe(true);
    // Whoever knows the chain sees it at once.
    expect((await verify([out], { listed: [days[0].link, days[1].link] })).fault).toMatch(/link 1 \(2026-01-05\) is another/);
  });

  it("are found wanting where a checkpoint on the tape is not the book", async () => {
    const out = freshFolder();
    const records = lived.records.map((record) =>
      record.kind === "checkpoint" ? { ...record, body: record.body.replace(/"contentHash":"./, '"contentHash":"x') } : record,
    );
    await layDown(out, [
      await makeDay(
        records.filter(({ receivedAt }) => receivedAt < Date.UTC(2026, 0, 6)),
        { day: "2026-01-05" },
      ),
    ]);
    expect((await verify([out])).fault).toMatch(/1 of 1 checkpoints on the tape are not the book/);
  });
});

describe("a day of which not all could be compared", () => {
  const DAY = "2026-01-05";
  const NOON = Date.UTC(2026, 0, 5, 12);
  const laidDown = async (records: readonly TapeRecord[]): Promise<string> => {
    const out = freshFolder();
    await layDown(out, [await makeDay(records, { day: DAY })]);
    return out;
  };

  it("is found wanting where a stored minute has a book and the tape ends before it: its frames are lost", async () => {
    const { records, minutes } = live({ startTime: NOON, seconds: 150, seed: 3 });
    const out = await laidDown(records.filter(({ receivedAt }) => receivedAt < NOON + 60_000));
    const beyond = [...minutes, { minute: NOON + 3 * 3_600_000, bookHash: "0123456789abcdef", lastSequence: 1 }];
    const { fault, files } = await verify([out], { minutes: beyond });
    expect(fault).toMatch(/2 stored minutes with a book were not compared: the replay has no book at the end of 2026-01-05T12:01/);
    expect(files[0]).toMatchObject({ minutesCompared: 1, minutesNotCompared: 2 });
  });

  it("is found wanting where a stored minute has a book and the replay has none yet: it begins in the middle", async () => {
    const { records, minutes } = live({ startTime: NOON, seconds: 150, seed: 3 });
    const isBegin = (record: TapeRecord): boolean =>
      record.receivedAt < NOON + 60_000 && record.kind !== "instrument" && record.kind !== "frame";
    const out = await laidDown(records.filter((record) => !isBegin(record)));
    const { fault, files } = await verify([out], { minutes });
    expect(fault).toMatch(/1 stored minutes with a book were not compared: the replay has no book at the end of 2026-01-05T12:00:00/);
    expect(files[0]).toMatchObject({ minutesCompared: 1, minutesNotCompared: 1 });
  });

  it("is found wanting where nothing of it is known, whatever its hashes say", async () => {
    const { records, minutes } = live({ startTime: NOON, seconds: 150, seed: 3 });
    const out = await laidDown(records.filter(({ kind }) => kind !== "checkpoint"));
    expect((await verify([out], { minutes: [] })).fault).toMatch(/nothing was compared/);
    expect((await verify([out], { minutes })).fault).toBeNull();
  });

  it("is whole where neither the rows nor the tape have a book: there was none", async () => {
    const { records } = live({ startTime: NOON, seconds: 150, seed: 3 });
    const out = await laidDown(records.filter(({ kind }) => kind === "instrument"));
    const rows = [0, 1].map((count) => ({ minute: NOON + count * 60_000, bookHash: null, lastSequence: null }));
    expect((await verify([out], { minutes: rows })).fault).toBeNull();
    expect((await verify([out], { minutes: [] })).fault).toMatch(/nothing was compared/);
  });

  it("goes on with new books where the grids change within it, as the feed did", async () => {
    const [coarse, fine] = [
      live({ startTime: NOON, seconds: 150, seed: 3 }),
      live({ startTime: NOON + 300_000, seconds: 150, seed: 4, lotDecimals: 6 }),
    ];
    const out = await laidDown([...coarse.records, ...fine.records]);
    const { fault, files } = await verify([out], { minutes: [...coarse.minutes, ...fine.minutes] });
    expect(fault).toBeNull();
    expect(files[0]).toMatchObject({
      minutesCompared: 4,
      minutesNotCompared: 0,
      checkpoints: 4,
      checkpointsCompared: 4,
      malformedLines: 0,
    });
  });
});

describe("a day file that was changed", () => {
  it("is named with the block and what is wrong, whichever byte it was", async () => {
    for (const share of [0.01, 0.3, 0.6, 0.9, 0.999]) {
      const out = freshFolder();
      const [path = ""] = await layDown(out, days);
      const bytes = readFileSync(path);
      const at = Math.floor(bytes.length * share);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      writeFileSync(path, bytes);
      const { fault } = await verify([path]);
      expect(fault, String(share)).toMatch(/\.day: (block-damaged|chain-broken|trailer-damaged|cut|undecodable)/);
    }
  });

  it("or cut, or taken out, or put in another's place, or no day file at all, is named", async () => {
    const cut = freshFolder();
    const [path = "", second = ""] = await layDown(cut, days);
    writeFileSync(path, readFileSync(path).subarray(0, -20));
    expect((await verify([cut])).fault).toMatch(/2026-01-05.*cut/);
    rmSync(path);
    expect((await verify([cut])).fault).toMatch(/chain.json names 2026-01-05\.00\.[0-9a-f]{12}\.day, and it is not there/);
    renameSync(second, path);
    expect((await verify([cut])).fault).toMatch(/chain.json names 2026-01-06|its name says/);
    const other = freshFolder();
    mkdirSync(join(other, "x"));
    writeFileSync(join(other, "x", "note.day"), "hello");
    expect((await verify([other])).fault).toMatch(/note\.day.*not-a-day-file/);
  });

  it("is seen by a changed chain, though the file itself is right", async () => {
    const out = freshFolder();
    const [path = ""] = await layDown(out, days);
    const chain = join(dirname(path), "chain.json");
    writeFileSync(chain, readFileSync(chain, "utf8").replace(days[0].link.head, "ab".repeat(32)));
    expect((await verify([out])).fault).toMatch(/2026-01-05 part 0: the chain's hash is/);
  });
});

describe("a part of a day that was changed", () => {
  const DAY = "2026-01-05";
  const NOON = Date.UTC(2026, 0, 5, 12);

  it("is the file that is named, not the whole one beside it, in which its minutes are missed", async () => {
    const { records, minutes } = live({ startTime: NOON, seconds: 150, seed: 3 });
    const isLate = ({ receivedAt }: TapeRecord): boolean => receivedAt >= NOON + 20_000 && receivedAt < NOON + 100_000;
    const first = await makeDay(
      records.filter((record) => !isLate(record)),
      { day: DAY },
    );
    const second = await makeDay(records.filter(isLate), { day: DAY, before: first.link, part: 1 });
    const other = await makeDay(records.filter(isLate).slice(0, -9), { day: DAY });
    const next = await makeDay(records.slice(0, 9), { day: "2026-01-06" });
    const flipped = Buffer.from(second.file);
    flipped[300] = (flipped[300] ?? 0) ^ 4;
    for (const [content, wrong] of [
      [flipped, "block-damaged"],
      [second.file.subarray(0, -20), "cut"],
      [other.file, "its head is"],
      [next.file, "its head is"],
    ] as const) {
      const out = freshFolder();
      const [, path = ""] = await layDown(out, [first, second]);
      writeFileSync(path, content);
      const { fault, files } = await verify([out], { minutes });
      expect(fault).toMatch(new RegExp(`2026-01-05\\.01\\.[0-9a-f]{12}\\.day: ${wrong}`));
      expect(files.find(({ part }) => part === 0)?.head).toBe(first.link.head);
    }
  });
});

describe("a day whose minute came late", () => {
  it("is one tape again: the parts are merged, and every book is the one that was stored", async () => {
    const [early, late] = [
      lived.records.filter(({ receivedAt }) => !isLate(receivedAt)),
      lived.records.filter(({ receivedAt }) => isLate(receivedAt)),
    ];
    const day = "2026-01-06";
    const first = await makeDay(
      early.filter(({ receivedAt }) => receivedAt >= MIDNIGHT),
      { day },
    );
    const second = await makeDay(late, { day, before: first.link, part: 1 });
    const before = await makeDay(
      early.filter(({ receivedAt }) => receivedAt < MIDNIGHT),
      { day: "2026-01-05", before: second.link },
    );
    const out = freshFolder();
    await layDown(
      out,
      [before, first, second].sort((a, b) => a.link.link - b.link.link),
    );
    const { fault, files } = await verify([out]);
    expect(fault).toBeNull();
    expect(files.map(({ day: of, part, minutesCompared, gaps }) => [of, part, minutesCompared, gaps])).toEqual([
      ["2026-01-05", 0, 2, 0],
      ["2026-01-06", 0, 1, 0],
      ["2026-01-06", 1, 0, 0],
    ]);
    const whole = freshFolder();
    await layDown(whole, days);
    const reports = await Promise.all(
      [out, whole].map(async (folder) => {
        const [source] = await fileSources([folder], { venue: "binance-spot", market: null });
        if (source === undefined) throw new Error("no source");
        const { markets, records } = await reportReplay(source, silent);
        return { markets, records };
      }),
    );
    expect(reports[0]).toEqual(reports[1]);
    const events = await Promise.all(
      [out, whole].map(async (folder) => linesOf((await exportFiles([folder], {})).markets[0]?.files[0]?.path ?? "").slice(1)),
    );
    expect(events[0]).toEqual(events[1]);
  });

  const MIDNIGHT = Date.UTC(2026, 0, 6);
  const isLate = (receivedAt: number): boolean => receivedAt >= MIDNIGHT + 20_000 && receivedAt < MIDNIGHT + 50_000;
});

describe("the command", () => {
  it("prints a table and ends with 0, or names the first fault and ends with 1", async () => {
    const out = freshFolder();
    const [path = ""] = await layDown(out, days);
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [join(ROOT, "training", "command-line", "main.ts"), "verify", ...args], { encoding: "utf8" });
    const good = run(out);
    expect([good.status, good.stderr]).toEqual([0, ""]);
    expect(good.stdout).toContain("whole");
    writeFileSync(path, "edgeday");
    const bad = run(out, "--json");
    expect(bad.status).toBe(1);
    expect(bad.stderr).toMatch(/^edgebook: not verified: .*2026-01-05/);
    expect((JSON.parse(bad.stdout) as VerifyReport).files).toHaveLength(2);
    const { records } = live({ startTime: Date.UTC(2026, 0, 5, 12), seconds: 20, seed: 3 });
    const early = freshFolder();
    await layDown(early, [await makeDay(records, { day: "2026-01-05" })]);
    const rows = join(early, "snapshots", "v1", "binance-spot", "TESTUSDT", "2026-01-05.ndjson.open");
    expect(run(early).stderr).toMatch(/nothing was compared: .* is known \(pull --snapshots, or verify --from\)/);
    mkdirSync(dirname(rows), { recursive: true });
    writeFileSync(rows, "");
    expect(run(early).stderr).toMatch(/2026-01-05\.ndjson\.open was fetched before .* \(pull --snapshots again, or verify --from\)/);
    expect(run(freshFolder()).stderr).toMatch(/no day file/);
    expect(run().stderr).toMatch(/nothing to verify/);
  });
});

describe("day files as recordings", () => {
  it("replay to the same book and rows as the tape that they hold, and are exported to the same events", async () => {
    const out = freshFolder();
    await layDown(out, days);
    const tape = join(freshFolder(), "whole.tape");
    writeFileSync(tape, lived.records.map(encodeTapeRecord).join(""));
    const options = { venue: "binance-spot", market: null };
    const [fromTape] = await fileSources([tape], options);
    const [fromDays, ...others] = await fileSources([out], options);
    expect(others).toEqual([]);
    if (fromTape === undefined || fromDays === undefined) throw new Error("no source");
    const { source: _, ...expected } = await reportReplay(fromTape, silent);
    expect(await reportReplay(fromDays, silent)).toMatchObject(expected);
    expect(expected.markets[0]?.featureRows).toBeGreaterThan(200);
    const exported = await Promise.all([[tape], [out]].map((paths) => exportFiles(paths, { out: freshFolder() })));
    const events = exported.map((report) => linesOf(report.markets[0]?.files[0]?.path ?? "").slice(1));
    expect(events[1]).toEqual(events[0]);
    expect(events[0]?.length).toBeGreaterThan(1_000);
  });
});
