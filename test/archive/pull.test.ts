/** `edgebook pull`: a file that is cut, doubled, another's, or fetched again and again over a bad line. */

import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Instance } from "../../archive/pull/instance.ts";
import { dayPath } from "../../archive/pull/known-days.ts";
import { type PullOptions, type PullReport, runPull } from "../../archive/pull/run-pull.ts";
import { MARKET, type MadeDay, makeDay, twoDays } from "./day-files.ts";
import { freshFolder, silent } from "./workplace.ts";

const NOW = Date.UTC(2026, 0, 7, 12);
let days: MadeDay[];
let place: Place;

beforeAll(async () => {
  ({ days } = await twoDays());
});

beforeEach(async () => {
  place = new Place(days);
  await place.open();
});

afterEach(() => place.close());

function pull(out: string, options: Partial<PullOptions> = {}): Promise<PullReport> {
  const instance = new Instance(place.address, (ms) => {
    place.waits.push(ms);
    return Promise.resolve();
  });
  const beside = { minutes: "none", snapshots: "none" } as const;
  return runPull({ instance, out, markets: [], since: null, until: "2026-01-07", now: NOW, beside, progress: silent, ...options });
}

function pathsOf(out: string): string[] {
  return days.map(({ link }) => join(out, dayPath(link)));
}

describe("day files", () => {
  it("come whole, each once: the second run fetches nothing", async () => {
    const out = freshFolder();
    const total = days.reduce((sum, { file }) => sum + file.length, 0);
    expect(await pull(out)).toMatchObject({ days: { listed: 2, fetched: 2, bytes: total }, files: pathsOf(out) });
    for (const [index, path] of pathsOf(out).entries()) expect(readFileSync(path).equals(days[index]?.file ?? Buffer.alloc(0))).toBe(true);
    expect(await pull(out)).toMatchObject({ days: { listed: 2, fetched: 0, bytes: 0 } });
    expect(place.sent).toBe(total);
  });

  it("over a line that breaks again and again come by ranges, no byte twice, and never under their name before they are whole", async () => {
    const out = freshFolder();
    const file = days[0]?.file ?? Buffer.alloc(0);
    place.cutAfter = Math.ceil(file.length / 20);
    place.onCut = () => expect(existsSync(pathsOf(out)[0] ?? "")).toBe(false);
    expect(await pull(out, { until: "2026-01-05" })).toMatchObject({ days: { bytes: file.length } });
    expect(readFileSync(pathsOf(out)[0] ?? "").equals(file)).toBe(true);
    const ranges = place.ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    expect(ranges.length).toBeGreaterThanOrEqual(20);
    expect(ranges).toEqual(ranges.toSorted((a, b) => a - b));
  });

  it("that an earlier run had begun are gone on with, by the ETag of the same file", async () => {
    const out = freshFolder();
    const [path = ""] = pathsOf(out);
    const file = days[0]?.file ?? Buffer.alloc(0);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.partial`, file.subarray(0, 1_000));
    expect(await pull(out, { until: "2026-01-05" })).toMatchObject({ days: { bytes: file.length - 1_000 } });
    expect(place.ranges).toEqual(["bytes=1000-"]);
    expect(place.matches).toEqual([`"${days[0]?.link.head}"`]);
    expect(readFileSync(path).equals(file)).toBe(true);
    expect(readdirSync(dirname(path)).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  it("whose beginning on the disk was damaged are fetched anew, once", async () => {
    const out = freshFolder();
    const [path = ""] = pathsOf(out);
    const file = days[0]?.file ?? Buffer.alloc(0);
    mkdirSync(dirname(path), { recursive: true });
    const damaged = Buffer.from(file.subarray(0, 1_000));
    damaged[500] = (damaged[500] ?? 0) ^ 1;
    writeFileSync(`${path}.partial`, damaged);
    await pull(out, { until: "2026-01-05" });
    expect(readFileSync(path).equals(file)).toBe(true);
  });

  it("that are not what the list names are refused, and don't get their name", async () => {
    const out = freshFolder();
    place.tampered = true;
    await expect(pull(out, { until: "2026-01-05" })).rejects.toThrow(
      /came twice, and is not the day file that the list names: block-damaged/,
    );
    expect(existsSync(pathsOf(out)[0] ?? "")).toBe(false);
  });

  it("of an instance that tells its history otherwise than before are refused", async () => {
    const out = freshFolder();
    await pull(out);
    const anew = await makeDay([{ kind: "down", receivedAt: Date.UTC(2026, 0, 5, 12), reason: "another" }], { day: "2026-01-05" });
    place.days = [anew];
    await expect(pull(out)).rejects.toThrow(/link 1 of its days was 2026-01-05 part 0 .* its history was rewritten/);
  });

  it("are those of the days and markets asked for", async () => {
    const out = freshFolder();
    expect((await pull(out, { since: "2026-01-06" })).files).toEqual(pathsOf(out).slice(1));
    expect((await pull(freshFolder(), { markets: ["bitmex:XBTUSD"] })).files).toEqual([]);
  });
});

describe("an instance that refuses", () => {
  it("for a while is asked again, no sooner than it says", async () => {
    place.refusals = [
      [429, "7"],
      [503, "2"],
      [500, null],
    ];
    await pull(freshFolder());
    expect(place.waits).toEqual([7_000, 2_000, 2_000]);
  });

  it("for good is told of in its own words, at once", async () => {
    place.refusals = [[404, null]];
    await expect(pull(freshFolder())).rejects.toThrow(/\/v1\/days.*: 404, said the place/);
    expect(place.waits).toEqual([]);
  });

  it("for ever is given up after eight times, and one that asks for an hour at once", async () => {
    place.refusals = Array.from({ length: 20 }, (): [number, null] => [503, null]);
    await expect(pull(freshFolder())).rejects.toThrow(/asked 8 times/);
    expect(place.waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
    place.refusals = [[503, "3600"]];
    await expect(pull(freshFolder())).rejects.toThrow(/come again in 3600 s/);
  });

  it("or is not there is named", async () => {
    await place.close();
    await expect(pull(freshFolder())).rejects.toThrow(/fetch failed \(connect ECONNREFUSED/);
    expect(() => new Instance("nonsense")).toThrow(/--from nonsense/);
  });
});

describe("a day without a file yet", () => {
  const beside = { minutes: "of-open-days", snapshots: "all" } as const;

  it("comes by minutes, each once, under the names that replay and export read; they go when its file has come", async () => {
    const out = freshFolder();
    place.days = days.slice(0, 1);
    expect(await pull(out, { beside })).toMatchObject({ minutes: { fetched: 2 } });
    const folder = join(out, "tape", "v1", "binance-spot", "TESTUSDT", "2026-01-06");
    expect(readdirSync(folder)).toEqual(["0000.tape.gz", "0001.tape.gz"]);
    expect(gunzipSync(readFileSync(join(folder, "0001.tape.gz"))).toString()).toBe("minute 1\n");
    expect(await pull(out, { beside })).toMatchObject({ minutes: { fetched: 0, bytes: 0 } });
    place.days = days;
    expect(await pull(out, { beside })).toMatchObject({ days: { fetched: 1 }, minutes: { fetched: 0 } });
    expect(existsSync(folder)).toBe(false);
  });

  it("comes however long ago it was, and so do its rows, where no first day is named: what is left out in silence is lost to whoever keeps the copy", async () => {
    const out = freshFolder();
    place.times = [Date.UTC(2025, 8, 30, 23, 59), Date.UTC(2025, 11, 1), ...place.times];
    expect(await pull(out, { beside })).toMatchObject({ minutes: { fetched: 2 }, snapshots: { fetched: 3, rows: 4 } });
    const [tapes, rows] = ["tape", "snapshots"].map((kind) => readdirSync(join(out, kind, "v1", "binance-spot", "TESTUSDT")));
    expect(tapes).toEqual(["2025-09-30", "2025-12-01"]);
    expect(rows).toEqual(["2025-09-30.ndjson", "2025-12-01.ndjson", "2026-01-06.ndjson"]);
    const later = freshFolder();
    expect(await pull(later, { beside, since: "2025-11-01" })).toMatchObject({ minutes: { fetched: 1 }, snapshots: { rows: 3 } });
  });

  it("has its rows in a file of their own, which is taken for whole only when the day is over", async () => {
    const out = freshFolder();
    await pull(out, { beside, now: Date.UTC(2026, 0, 6, 12) });
    const folder = join(out, "snapshots", "v1", "binance-spot", "TESTUSDT");
    expect(readdirSync(folder)).toEqual(["2026-01-06.ndjson.open"]);
    expect(await pull(out, { beside })).toMatchObject({ snapshots: { fetched: 1, rows: 2 } });
    expect(readdirSync(folder)).toEqual(["2026-01-06.ndjson"]);
    expect(await pull(out, { beside })).toMatchObject({ snapshots: { fetched: 0 } });
    const rows = readFileSync(join(folder, "2026-01-06.ndjson"), "utf8").trimEnd().split("\n");
    expect(rows.map((row) => (JSON.parse(row) as { minute: number }).minute)).toEqual([Date.UTC(2026, 0, 6), Date.UTC(2026, 0, 6, 0, 1)]);
  });
});

/** A place on the net that answers as the API's document says, on a line that can be made bad. The API itself is in test/workerd and test/whole. */
class Place {
  address = "";
  days: MadeDay[];
  cutAfter = Number.POSITIVE_INFINITY;
  onCut: () => void = () => {};
  tampered = false;
  /** Status and Retry-After of the answers to come. */
  refusals: [number, string | null][] = [];
  sent = 0;
  /** Starts of the minutes that it has rows of. */
  times = [Date.UTC(2026, 0, 6, 0, 0), Date.UTC(2026, 0, 6, 0, 1)];
  readonly ranges: string[] = [];
  readonly matches: string[] = [];
  readonly waits: number[] = [];
  private readonly server: Server;

  constructor(days: readonly MadeDay[]) {
    this.days = [...days];
    this.server = createServer((request, response) => this.answer(request, response));
  }

  async open(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((closed) => this.server.close(closed));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://place");
    const refusal = this.refusals.shift();
    if (refusal !== undefined) {
      const [status, retryAfter] = refusal;
      response.writeHead(status, retryAfter === null ? {} : { "retry-after": retryAfter }).end('{"detail":"said the place"}');
    } else if (url.pathname === "/v1/days") this.list(url, response);
    else if (url.pathname === "/v1/markets") response.end(JSON.stringify({ markets: [{ market: MARKET }] }));
    else if (url.pathname.startsWith("/v1/quality/"))
      response.end(JSON.stringify({ quality: { recordedSince: this.minutes()[0]?.minute ?? null } }));
    else if (url.pathname.endsWith("/snapshots")) this.rows(url, response);
    else if (url.pathname.startsWith("/tapes/")) response.end(gzipSync(`minute ${url.pathname.slice(7)}\n`));
    else this.file(url, request, response);
  }

  /** One file a page. */
  private list(url: URL, response: ServerResponse): void {
    const { from = "", to = "", market, cursor = "0" } = Object.fromEntries(url.searchParams);
    const listed = this.days.map(({ link }) => link).filter(({ day, market: of }) => day >= from && day <= to && (market ?? of) === of);
    const page = listed.slice(Number(cursor), Number(cursor) + 1).map((link) => ({ ...link, url: `/files/${link.head}` }));
    response.end(JSON.stringify({ days: page, nextCursor: Number(cursor) + 1 < listed.length ? String(Number(cursor) + 1) : null }));
  }

  private minutes(): { minute: number; bookHash: null; lastSequence: null; tape: { url: string } }[] {
    return this.times.map((minute) => ({ minute, bookHash: null, lastSequence: null, tape: { url: `/tapes/${(minute / 60_000) % 60}` } }));
  }

  private rows(url: URL, response: ServerResponse): void {
    const { from, to } = Object.fromEntries(url.searchParams);
    const snapshots = this.minutes().filter(({ minute }) => minute >= Number(from) && minute < Number(to));
    response.end(JSON.stringify({ snapshots, nextCursor: null }));
  }

  private file(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const made = this.days.find(({ link }) => url.pathname === `/files/${link.head}`);
    const { range = "", "if-match": match = "" } = request.headers;
    this.ranges.push(range);
    this.matches.push(match);
    if (made === undefined || match !== `"${made.link.head}"`) return void response.writeHead(412).end('{"detail":"another file"}');
    const bytes = Buffer.from(made.file);
    if (this.tampered) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const rest = bytes.subarray(Number(/^bytes=(\d+)-$/.exec(range)?.[1]));
    response.writeHead(206, { "content-length": rest.length });
    this.sent += Math.min(rest.length, this.cutAfter);
    if (rest.length <= this.cutAfter) return void response.end(rest);
    response.write(rest.subarray(0, this.cutAfter), () => {
      this.onCut();
      // What was handed to the socket is let out, then it is gone.
      response.socket?.end();
    });
  }
}
