/**
 * A file of market events served through BitMEX's protocol, as fast as it goes, and recorded: simulator, adapter and reducer in one process, the file's
 * receive times as the clock. What comes out is what an archive keeps: a hash-chained day file for each UTC day, and the ledger of gaps.
 */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { featureSetV1 } from "../../core/features/registry.ts";
import { marketId } from "../../core/market/instrument.ts";
import { Random } from "../../core/math/random.ts";
import { DayFileWriter } from "../../core/wire/day-file/writer.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { InProcessFeed } from "../../exchange-simulator/in-process-feed.ts";
import { SimulatedTime } from "../../exchange-simulator/simulated-time.ts";
import { buildWorld } from "../../exchange-simulator/simulated-venues.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import type { GapRecord } from "../../feed/contract.ts";

export interface Played {
  /** Day files, in the order of their days. */
  readonly days: readonly string[];
  readonly market: string;
  readonly ledger: readonly GapRecord[];
  readonly frames: number;
  readonly malformedFrames: number;
  readonly tapeBytes: number;
  readonly dayFileBytes: number;
  /** Records of the file from this receive time on were not played. */
  readonly until: number;
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
}

export interface PlayOptions {
  readonly events: string;
  readonly out: string;
  /** Longer silences of the book are in the ledger. */
  readonly silenceMs: number;
  /** Played from the start on; to the end unless told. */
  readonly hours?: number;
}

/** Between two turns in which what was recorded is written. */
const TURN_MS = 60_000;

export async function playTape({ events, out, silenceMs, hours = Number.POSITIVE_INFINITY }: PlayOptions): Promise<Played> {
  const began = performance.now();
  const world = await buildWorld({ venues: ["bitmex"], events: [events] });
  const [symbol = ""] = world.stalls.get("bitmex")?.venue.listings.keys() ?? [];
  const market = marketId("bitmex", symbol);
  const tape = new DayTapes(out, market);
  const time = new SimulatedTime(world);
  const random = new Random(1);
  const feed = new InProcessFeed({
    time,
    adapter: bitmex,
    symbols: [symbol],
    featureSet: featureSetV1,
    uniform: () => random.uniform(),
    reducer: { silenceMs },
    onRecord: (record) => tape.take(record),
  });
  const ledger = new Map<string, GapRecord>();
  const end = world.startTime + hours * 3_600_000;
  for (let isOver = false; !isOver; ) {
    isOver = (await advance(time, Math.min(end, world.clock.now + TURN_MS))) === "ended" || world.clock.now >= end;
    for (const gap of feed.takeGapChanges()) ledger.set(gap.id, gap);
    feed.reducer.takeClosedMinutes();
    await tape.write();
  }
  await tape.finish();
  const { frames, malformedFrames } = feed.reducer;
  const simulatedSeconds = (world.clock.now - world.startTime) / 1_000;
  await world.close();
  const { days, tapeBytes, dayFileBytes } = tape;
  const wallSeconds = (performance.now() - began) / 1_000;
  return {
    days,
    market,
    ledger: [...ledger.values()],
    frames,
    malformedFrames,
    tapeBytes,
    dayFileBytes,
    until: end,
    simulatedSeconds,
    wallSeconds,
  };
}

async function advance(time: SimulatedTime, until: number): Promise<"reached" | "ended"> {
  for (;;) {
    const reached = time.advanceTo(until);
    if (reached !== "starved") return reached;
    await time.world.fill();
  }
}

/** The day files of one market, written as its records come. */
class DayTapes {
  readonly days: string[] = [];
  tapeBytes = 0;
  dayFileBytes = 0;
  private readonly out: string;
  private readonly market: string;
  private grids: TapeRecord | null = null;
  private waiting: TapeRecord[] = [];
  private open: { readonly day: string; readonly writer: DayFileWriter; readonly disk: ReturnType<typeof createWriteStream> } | null = null;

  constructor(out: string, market: string) {
    this.out = out;
    this.market = market;
  }

  take(record: TapeRecord): void {
    if (record.kind === "instrument") this.grids = record;
    this.waiting.push(record);
  }

  async write(): Promise<void> {
    const { waiting } = this;
    this.waiting = [];
    let lines = "";
    for (const record of waiting) {
      const day = new Date(record.receivedAt).toISOString().slice(0, 10);
      if (day !== this.open?.day) {
        await this.push(lines);
        lines = "";
        await this.begin(day);
        // Each day says by itself which grids its market is on.
        if (this.grids !== null && record.kind !== "instrument")
          lines += encodeTapeRecord({ ...this.grids, receivedAt: record.receivedAt });
      }
      lines += encodeTapeRecord(record);
    }
    await this.push(lines);
  }

  async finish(): Promise<void> {
    const { open } = this;
    this.open = null;
    if (open === null) return;
    const { bytes } = await open.writer.finish();
    this.dayFileBytes += bytes.length;
    open.disk.end(bytes);
    await finished(open.disk);
  }

  private async begin(day: string): Promise<void> {
    await this.finish();
    await mkdir(this.out, { recursive: true });
    const path = join(this.out, `${this.market.replace(":", ".")}.${day}.day`);
    const writer = new DayFileWriter({ market: this.market, day, digest: sha256 });
    this.open = { day, writer, disk: createWriteStream(path) };
    this.days.push(path);
  }

  private async push(lines: string): Promise<void> {
    if (lines === "" || this.open === null) return;
    const text = Buffer.from(lines, "utf8");
    this.tapeBytes += text.length;
    const bytes = await this.open.writer.push(text);
    this.dayFileBytes += bytes.length;
    if (bytes.length > 0 && !this.open.disk.write(bytes)) await once(this.open.disk, "drain");
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
