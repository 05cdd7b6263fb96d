/**
 * Requests that wait for each other's work, each in a context of its own as on the platform: of a desk, and of a look at the roles. `/warm` uses both so often that V8
 * optimises their code; promises that optimised code makes are not tagged with their request (workers/shared-promise.ts).
 */

import { WorkerEntrypoint } from "cloudflare:workers";
import type { DeskPorts } from "../../workers/forecasts/contract.ts";
import { ForecastDesk } from "../../workers/forecasts/desk.ts";
import { SharedLook } from "../../workers/inference/shared-look.ts";
import { DeskWorld, questionFor } from "../workers/desk-world.ts";

/** V8 optimises what has run some thousand times; with a look a minute this is also some hours. */
const WARM_UP_TURNS = 20_000;
const TURN_MS = 2_000;
/** A call takes this long: whoever asks meanwhile waits for it. */
const CALL_MS = 50;

const world = new DeskWorld();
const desk = new ForecastDesk();
const look = new SharedLook<{ readonly at: number }>();

export class SharingRequests extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const market = searchParams.get("market") ?? "";
    if (pathname === "/warm") await this.warm();
    if (pathname === "/minute") world.clock.time += 60_000;
    if (pathname === "/desk") await desk.answer(questionFor(market), this.ports(CALL_MS));
    if (pathname === "/look") await look.again(world.clock.time, (before) => this.find(before, CALL_MS));
    return new Response(`${pathname} ${market}`);
  }

  private async warm(): Promise<void> {
    const ports = this.ports(0);
    for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
      world.clock.time += TURN_MS;
      const answers = ["v:A", "v:B", "v:A"].map((market) => desk.answer(questionFor(market), ports));
      const looks = [0, 1].map(() => look.again(world.clock.time, (before) => this.find(before, 0)));
      await Promise.all([...answers, ...looks]);
    }
  }

  private async find(_before: unknown, ms: number): Promise<{ readonly at: number }> {
    if (ms > 0) await pause(ms);
    return { at: world.clock.time };
  }

  /** @param ms of a call; 0: nothing takes time, and nothing that waits for a time comes. */
  private ports(ms: number): DeskPorts {
    const slowly = async <T>(call: () => Promise<T>): Promise<T> => {
      if (ms > 0) await pause(ms);
      return call();
    };
    return {
      ...world.ports,
      after: (after) => (ms > 0 ? pause(after) : new Promise(() => undefined)),
      untilDone: (work) => (ms > 0 ? this.ctx.waitUntil(work) : undefined),
      roster: () => slowly(world.ports.roster),
      predict: (asks) => slowly(() => world.ports.predict(asks)),
      skills: (markets) => slowly(() => world.ports.skills(markets)),
    };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
