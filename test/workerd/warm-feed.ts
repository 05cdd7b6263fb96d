/** A feed with everything that the API serves and cron stores: a live book, warm features, closed minutes. */

import { expect, vi } from "vitest";
import { advanceClock, advanceIntoMinute, advanceToMinuteEnd } from "./clock.ts";
import { control, depthFrame, feedRpc, PATIENCE, startedFeed } from "./exchange-control.ts";

/** More than the features' longest window. */
const WARMUP_FRAMES = 45;

/**
 * Where in its minute a warm feed begins. Its clock is set forward to the minute's end later, and features go on over a leap only while it is
 * shorter than a minute (feed/market-clock.ts): begun in the last seconds of a minute, the leap would be longer.
 */
const BEGINS_AT_MS = 10_000;

export interface WarmFeed {
  /** Sequence of the last frame sent. */
  sequence: number;
}

/** BTCUSDT with warm features, ETHUSDT live and cold. Bids step up and down, asks stand still. */
export async function warmFeed(): Promise<WarmFeed> {
  advanceIntoMinute(BEGINS_AT_MS);
  const feed = { sequence: await startedFeed() };
  const start = Date.now() - WARMUP_FRAMES * 1_000;
  await sendFrames(feed, WARMUP_FRAMES, (index) => start + index * 1_000);
  return feed;
}

/** Both markets speak, so that neither is stale, and the frames are applied when this returns. */
export async function sendFrames(feed: WarmFeed, count: number, timeOf: (index: number) => number = () => Date.now()): Promise<void> {
  const frames: string[] = [];
  for (let index = 0; index < count; index++) {
    feed.sequence++;
    const change = { from: feed.sequence, time: timeOf(index) };
    frames.push(depthFrame("BTCUSDT", { ...change, bids: [["100.00", index % 2 === 0 ? "2.00000" : "0.00000"]] }));
    frames.push(depthFrame("ETHUSDT", change));
  }
  await control.send(frames);
  await vi.waitFor(async () => {
    for (const market of ["binance-spot:BTCUSDT", "binance-spot:ETHUSDT"]) {
      const book = await feedRpc().book(market, 1);
      expect(book.ok && book.proof.lastSequence).toBe(feed.sequence);
    }
  }, PATIENCE);
}

/** Goes on to the next minute with a live book at the end of this one. @returns the start of the minute that is now closed. */
export async function closeMinute(feed: WarmFeed): Promise<number> {
  const minute = advanceToMinuteEnd(5_000);
  await sendFrames(feed, 3);
  advanceClock(minute + 60_000 - Date.now() + 100);
  await sendFrames(feed, 1);
  return minute;
}
