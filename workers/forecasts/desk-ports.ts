/** What the desk uses of the platform, for one request: the feeds, the inference Worker, the database, the clock. */

import type { PublicEnv } from "../env.ts";
import { askFeed } from "../feed-client.ts";
import { askInference } from "../inference-client.ts";
import { recordForecasts } from "../ledger/record.ts";
import { rollingSkill } from "../ledger/rolling-skill.ts";
import { logError } from "../log.ts";
import { openDatabase } from "../storage/database.ts";
import type { CallCount, DeskPorts } from "./contract.ts";

/** @param untilDone keeps the request alive. */
export function deskPorts(env: PublicEnv, untilDone: DeskPorts["untilDone"], count: CallCount = { calls: 0 }): DeskPorts {
  const counted = <T>(call: () => Promise<T>): Promise<T> => {
    count.calls++;
    return call();
  };
  return {
    now: () => Date.now(),
    after: (ms) => new Promise((done) => setTimeout(done, ms)),
    untilDone,
    features: ({ market, feed }, wanted) => counted(() => askFeed(env.FEED, feed, (rpc) => rpc.features(market, wanted))),
    roster: () => counted(() => askInference(env.INFERENCE, (rpc) => rpc.roster())),
    predict: (asks) => counted(() => askInference(env.INFERENCE, (rpc) => rpc.predict(asks))),
    shadows: (asks) => counted(() => askInference(env.INFERENCE, (rpc) => rpc.shadows(asks))),
    record: (forecasts) => counted(() => recordForecasts(openDatabase(env.DB), forecasts)),
    skills: async (markets) => {
      const found = await counted(() => rollingSkill(openDatabase(env.DB), markets, Date.now()));
      return markets.map((market) => found.filter((each) => each.market === market));
    },
    report: (event, error) => logError(event, error, {}),
  };
}
