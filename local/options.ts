/** What `npm start` takes. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseMarketId } from "../core/market/instrument.ts";

const SIMULATED_VENUES = ["binance-spot", "coinbase-advanced", "bitmex"];
const LIVE_MARKETS = ["binance-spot:BTCUSDT", "binance-spot:ETHUSDT", "coinbase-advanced:BTC-USD", "bitmex:XBTUSD"];

export interface StartOptions {
  readonly port: number;
  readonly data: string;
  readonly venue: "simulator" | "live";
  /** Venues that the simulator speaks as. */
  readonly venues: readonly string[];
  /** Markets to record with venue "live", as venue:SYMBOL. */
  readonly liveMarkets: readonly string[];
  readonly replay: string | null;
  readonly speed: string;
  readonly times: "kept" | "shifted";
  readonly loop: boolean;
  readonly markets: number;
  readonly intervalMs: number;
  readonly seed: number;
}

export function parseStartOptions(args: readonly string[]): StartOptions {
  const program = new Command("npm start --")
    .description("Runs all of edgebook on this machine: simulator, migrations, the three Workers, cron each minute, the shipped models.")
    .option("--port <port>", "where the API listens", portNumber, 8787)
    .option("--data <dir>", "where everything recorded is kept", ".edgebook")
    .addOption(
      new Option("--venue <which>", "the embedded simulator, or the venues themselves").choices(["simulator", "live"]).default("simulator"),
    )
    .option(
      "--venues <list>",
      `which venues the simulator is (default: ${SIMULATED_VENUES.join(",")}; a replay is of binance-spot)`,
      listOf,
    )
    .option("--symbols <list>", `markets to record with --venue live (default: ${LIVE_MARKETS.join(",")})`, marketsOf)
    .option("--replay <file>", "let the simulator play a recorded file")
    .option("--speed <factor>", "speed of the simulator: 1 is real time, 0 is as fast as it goes", speedFactor, "1")
    .addOption(new Option("--times <which>", "venue times of a replay").choices(["kept", "shifted"]).default("kept"))
    .option("--loop", "play the file again and again", false)
    .option("--interval-ms <ms>", "length of a depth batch of generated markets", positiveInteger, 100)
    .option("--markets <count>", "generated markets", positiveInteger, 2)
    .option("--seed <seed>", "seed of the generated markets", positiveInteger, 1);
  program.parse([...args], { from: "user" });
  const given = program.opts();
  const replay = typeof given.replay === "string" ? resolve(given.replay) : null;
  if (replay !== null && !existsSync(replay)) program.error(`error: there is no file ${replay}`);
  if (replay !== null && given.venue === "live")
    program.error("error: --replay plays a file through the simulator; leave --venue live away");
  if (replay !== null && given.venues !== undefined)
    program.error("error: --replay plays a recording of binance-spot; leave --venues away");
  if (given.venue === "live" && given.venues !== undefined)
    program.error("error: --venues are the simulator's; name live markets by --symbols");
  return {
    port: given.port,
    data: resolve(given.data),
    venue: given.venue,
    venues: replay === null ? (given.venues ?? SIMULATED_VENUES) : ["binance-spot"],
    liveMarkets: given.symbols ?? LIVE_MARKETS,
    replay,
    speed: given.speed,
    times: given.times,
    loop: given.loop,
    markets: given.markets,
    intervalMs: given.intervalMs,
    seed: given.seed,
  };
}

function listOf(text: string): string[] {
  return text.split(",").filter(Boolean);
}

/** `venue:SYMBOL`, or a symbol of binance-spot alone. */
function marketsOf(text: string): string[] {
  return listOf(text).map((name) => {
    const market = name.includes(":") ? name : `binance-spot:${name}`;
    if (parseMarketId(market) === null) throw new InvalidArgumentError(`${name} is no venue:SYMBOL.`);
    return market;
  });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError("a port is 1 to 65535.");
  return port;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("it has to be a positive whole number.");
  return value;
}

function speedFactor(text: string): string {
  if (!(Number(text) >= 0)) throw new InvalidArgumentError("a speed is 0 or more.");
  return text;
}
