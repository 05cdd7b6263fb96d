/** Streams of forecasts under a clock turned by hand: an event missed is a tick lost, and one who polls for each listener, or for nobody, costs for ever. */

import { describe, expect, it } from "vitest";
import type { DeskPorts } from "../../workers/forecasts/contract.ts";
import { ForecastDesk } from "../../workers/forecasts/desk.ts";
import { STREAM_MS, type StreamEvent, streamForecasts } from "../../workers/forecasts/stream.ts";
import { BTC, DeskWorld, ETH, questionFor, START, settle } from "./desk-world.ts";

interface Listener {
  /** What came, and when, in ms. */
  readonly heard: (readonly [number, string])[];
  readonly count: { calls: number };
  isGone: boolean;
  isOver: boolean;
}

function listen(
  world: DeskWorld,
  desk: ForecastDesk,
  { markets = [BTC], ports = world.ports }: { markets?: readonly string[]; ports?: DeskPorts } = {},
): Listener {
  const listener: Listener = { heard: [], count: { calls: 0 }, isGone: false, isOver: false };
  const events = streamForecasts(
    markets.map((market) => questionFor(market)),
    {
      ports: world.ports,
      answer: (question) => desk.answer(question, ports),
      count: listener.count,
      isGone: () => listener.isGone,
    },
  );
  void (async () => {
    for await (const event of events) listener.heard.push([world.clock.time - START, textOf(event)]);
    listener.isOver = true;
  })();
  return listener;
}

function textOf(event: StreamEvent): string {
  if (event.kind === "heartbeat") return "heartbeat";
  if (event.kind === "failure") return "failure";
  const symbol = event.market.split(":")[1];
  return event.result.ok ? `${symbol} ${event.result.moment.featureTime - START}` : `${symbol} ${event.result.by}`;
}

describe("a stream", () => {
  it("says what is there at once, then each new tick shortly after it is due", async () => {
    const world = new DeskWorld();
    await world.clock.advance(300);
    const { heard } = listen(world, new ForecastDesk(), { markets: [BTC, ETH] });
    await world.clock.advance(2_900);
    expect(heard).toEqual([
      [300, "BTCUSDT 0"],
      [300, "ETHUSDT 0"],
      [1_050, "BTCUSDT 1000"],
      [1_050, "ETHUSDT 1000"],
      [2_050, "BTCUSDT 2000"],
      [2_050, "ETHUSDT 2000"],
      [3_050, "BTCUSDT 3000"],
      [3_050, "ETHUSDT 3000"],
    ]);
  });

  it("asks the feed once a tick and market, however many listen", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const listeners = Array.from({ length: 40 }, () => listen(world, desk, { markets: [BTC, ETH] }));
    await world.clock.advance(10_500);
    for (const { heard } of listeners) expect(heard).toHaveLength(2 * 11);
    expect(world.asked.features).toHaveLength(2 * 11);
    for (const listener of listeners) listener.isGone = true;
  });

  it("of a market that has gone quiet asks no more than once a second, says no tick twice, and shows that it lives", async () => {
    const world = new DeskWorld();
    const { heard } = listen(world, new ForecastDesk());
    await world.clock.advance(1_500);
    const quietSince = START + 1_000;
    const view = world.viewOf.bind(world);
    world.viewOf = (market, wanted) => ({ ...view(market, wanted), featureTime: quietSince, rowAgeMs: world.clock.time - quietSince });
    const before = world.asked.features.length;
    await world.clock.advance(31_000);
    expect(world.asked.features.length - before).toBeLessThanOrEqual(33);
    expect(heard.map(([, said]) => said)).toEqual(["BTCUSDT 0", "BTCUSDT 1000", "heartbeat", "heartbeat"]);
  });

  it("says a refusal once, and the next forecast when there is one again", async () => {
    const world = new DeskWorld();
    const { heard } = listen(world, new ForecastDesk());
    await world.clock.advance(500);
    world.refusal = { ok: false, reason: "syncing", detail: "" };
    await world.clock.advance(3_000);
    world.refusal = null;
    await world.clock.advance(1_000);
    expect(heard.map(([, said]) => said)).toEqual(["BTCUSDT 0", "BTCUSDT feed", "BTCUSDT 4000"]);
    world.feedFault = new Error("gone");
    await world.clock.advance(3_000);
    expect(heard.slice(3).map(([, said]) => said)).toEqual(["failure"]);
  });

  it("of a market whose feed hangs waits for that one alone: the others' ticks come when they are due", async () => {
    const world = new DeskWorld();
    const features = world.ports.features;
    let answerEth = (): void => undefined;
    const hanging = new Promise<void>((resolve) => {
      answerEth = resolve;
    });
    const ports: DeskPorts = {
      ...world.ports,
      features: async (question, wanted) => {
        if (question.market === ETH) await hanging;
        return features(question, wanted);
      },
    };
    const listener = listen(world, new ForecastDesk(), { markets: [ETH, BTC], ports });
    await world.clock.advance(2_100);
    expect(listener.heard.map(([, said]) => said)).toEqual(["BTCUSDT 0", "BTCUSDT 1000", "BTCUSDT 2000"]);
    answerEth();
    await world.clock.advance(10);
    expect(listener.heard.map(([, said]) => said).slice(3)).toEqual(["ETHUSDT 2000"]);
    listener.isGone = true;
  });

  it("stops asking when its listener has gone", async () => {
    const world = new DeskWorld();
    const listener = listen(world, new ForecastDesk());
    await world.clock.advance(2_500);
    listener.isGone = true;
    await world.clock.advance(1_000);
    expect(listener.isOver).toBe(true);
    const before = world.asked.features.length;
    await world.clock.advance(60_000);
    expect(world.asked.features).toHaveLength(before);
  });

  it("ends after five minutes, or when its request has no calls left", async () => {
    const world = new DeskWorld();
    const long = listen(world, new ForecastDesk());
    await world.clock.advance(STREAM_MS - 1_000);
    expect(long.isOver).toBe(false);
    await world.clock.advance(1_000);
    expect(long.isOver).toBe(true);
    const costly = listen(world, new ForecastDesk());
    await settle();
    costly.count.calls = 800;
    await world.clock.advance(1_100);
    expect(costly.isOver).toBe(true);
  });
});
