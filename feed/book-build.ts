/**
 * A book while it is being built: the frames that came before its snapshot, and when the snapshot is to be asked for. Where snapshots come on the
 * stream, what comes before one is of no book, and nothing is kept.
 */

import type { MarketEvent } from "../core/market/event.ts";
import type { SnapshotSource } from "../exchanges/contract.ts";
import { PendingFrames, type PendingLimits } from "./pending-frames.ts";
import { SnapshotSchedule } from "./snapshot-schedule.ts";

export class BookBuild {
  readonly schedule = new SnapshotSchedule();
  private readonly pending: PendingFrames;
  private readonly source: SnapshotSource["kind"];

  constructor(source: SnapshotSource["kind"], limits: PendingLimits) {
    this.source = source;
    this.pending = new PendingFrames(limits);
  }

  /** First sequence of the oldest change kept; null when there is none. */
  get firstSequence(): number | null {
    return this.pending.firstSequence;
  }

  begin(at: number): void {
    this.schedule.begin(at);
    this.pending.clear();
  }

  /** Another connection: what failed on the last one says nothing of it, and where snapshots come on the stream, it was subscribed to with it. */
  connectionOpened(at: number): void {
    this.schedule.forgive();
    this.begin(at);
    if (this.source === "subscription") this.schedule.asked(at);
  }

  wantsSnapshot(now: number): boolean {
    if (this.source === "subscription") return this.schedule.isDue(now, "subscribed");
    return this.schedule.isDue(now, this.firstSequence === null ? "nothing-kept" : "change-kept");
  }

  /** @returns whether there was room. */
  keep(event: MarketEvent, frame: string): "kept" | "overflowed" {
    return this.source === "subscription" ? "kept" : this.pending.push(event, frame);
  }

  /** All that is kept, oldest first. */
  take(): readonly string[] {
    return this.pending.take();
  }

  clear(): void {
    this.pending.clear();
  }
}
