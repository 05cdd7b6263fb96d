/**
 * The simulator from the command line. Prints one line of JSON when it listens: {"listening":PORT,…}. Ends on SIGINT and SIGTERM.
 */

import { readFileSync } from "node:fs";
import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import type { PresetName } from "../core/simulation/presets.ts";
import { parseFaultOrders } from "./faults/fault.ts";
import { EventsFileError } from "./market/events-file.ts";
import { protocols } from "./protocols/registry.ts";
import { RecordingError } from "./recording.ts";
import { buildWorld, type FaultWishes, generatedNames, SetupError, type SimulatedVenues } from "./simulated-venues.ts";
import { startSimulator } from "./simulator.ts";
import { startVenues, type VenueServer } from "./venue-server.ts";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly venues: string[];
  readonly list?: string[];
  readonly events?: string[];
  readonly replay?: string[];
  readonly speed: number;
  readonly loop?: true;
  readonly times: "kept" | "shifted";
  readonly holdMs: number;
  readonly markets: number;
  readonly symbols?: string[];
  readonly preset: PresetName | "both";
  readonly seed: number;
  readonly intervalMs: number;
  readonly seconds?: number;
  readonly form: "today" | "2021";
  readonly snapshots: "changes" | "sent";
  readonly paused?: true;
  readonly faults?: string;
  readonly faultSeed: number;
  readonly faultRate?: number;
  readonly connectionLifetimeMs?: number;
}

const program = new Command("exchange-simulator")
  .description(
    "Speaks the market data protocols of Binance, Coinbase and BitMEX, from generated markets, files of market events or recordings",
  )
  .option("--port <port>", "port to listen on; 0 takes a free one", integer, 0)
  .option("--host <host>", "address to listen on", "127.0.0.1")
  .option("--speed <factor>", "1 is real time, N is N times as fast, 0 is as fast as the sockets take it", number, 1)
  .option("--paused", "stand still until POST /simulator/resume")
  .optionsGroup("Venues:")
  .option("--venues <names>", `of ${protocols.map(({ venue }) => venue).join(", ")}; by commas`, names, ["binance-spot"])
  .option("--list <listing>", "venue:SYMBOL=MARKET, what a venue lists; again for more. Otherwise it lists every market", collect)
  .option("--interval-ms <ms>", "length of a depth batch at Binance", integer, 100)
  .addOption(new Option("--form <form>", "how BitMEX and Coinbase Exchange write").choices(["today", "2021"]).default("today"))
  .addOption(
    new Option("--snapshots <how>", "snapshots amid a tape: as the changes to them, or sent once more (BitMEX)")
      .choices(["changes", "sent"])
      .default("changes"),
  )
  .optionsGroup("Faults (more by POST /faults):")
  .option("--faults <file>", "JSON list of faults that are to happen")
  .option("--fault-rate <count>", "random faults a simulated minute", number)
  .option("--fault-seed <seed>", "of the random faults and of what they break", integer, 1)
  .option("--connection-lifetime-ms <ms>", "age at which a connection is closed as after 24 hours", integer)
  .optionsGroup("Generated markets (without --events and --replay):")
  .option("--markets <count>", "LARGEUSDT, SMALLUSDT, SIM003USDT, …", integer, 2)
  .option("--symbols <names>", "the markets by name instead, e.g. BTC-USD,ETH-USD", names)
  .addOption(new Option("--preset <name>", "kind of the markets").choices(["both", "large-tick", "small-tick"]).default("both"))
  .option("--seed <seed>", "seed of the first market; the next ones take the numbers after it", integer, 1)
  .option("--seconds <seconds>", "simulated time after which the markets fall silent", number)
  .optionsGroup("Recorded markets:")
  .option("--events <files...>", "files of market events, each a market; NAME=FILE gives it another name than its own")
  .option("--replay <files...>", "raw recordings of Binance spot, one after the other, told verbatim")
  .addOption(new Option("--once", "replay once (as it is without --loop)").conflicts("loop"))
  .option("--loop", "replay for ever; sockets are closed with 1012 at each end")
  .addOption(
    new Option("--times <which>", "times of a recording: as recorded, or moved to now by whole minutes")
      .choices(["kept", "shifted"])
      .default("kept"),
  )
  .option("--hold-ms <ms>", "longest wait at a recorded snapshot that nobody asks for", integer, 5_000);

await main(program.parse().opts<Flags>());

async function main(flags: Flags): Promise<void> {
  try {
    const running = flags.replay === undefined ? await startWorld(flags) : await startReplay(flags, flags.replay);
    process.stdout.write(`${JSON.stringify(running.ready)}\n`);
    const end = () => void running.close().then(() => process.exit(0));
    process.once("SIGINT", end);
    process.once("SIGTERM", end);
    await running.finished;
  } catch (error) {
    // What a user can put right is told in a sentence; anything else is a bug and keeps its stack.
    const isPlain =
      error instanceof RecordingError ||
      error instanceof EventsFileError ||
      error instanceof SetupError ||
      error instanceof RangeError ||
      (error instanceof Error && "code" in error);
    process.stderr.write(`exchange-simulator: ${isPlain ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}

interface Running {
  readonly ready: Readonly<Record<string, unknown>>;
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

async function startWorld(flags: Flags): Promise<Running> {
  const faults = readFaults(flags);
  const world = await buildWorld({ ...wishesOf(flags), faults });
  const { speed, port, host } = flags;
  const server = await startVenues(world, { speed, port, host, isPaused: flags.paused === true, status: () => ({ seed: flags.seed }) });
  // Random faults come by a seed also where none was named: said, so that they can be had again.
  const ready = { ...readyLine(server, host), ...(flags.faultRate === undefined ? {} : { faultSeed: flags.faultSeed }) };
  return { ready, finished: server.finished, close: () => server.close() };
}

function wishesOf(flags: Flags): SimulatedVenues {
  const { venues, list, events, intervalMs, form, snapshots, times } = flags;
  const common = { venues, listings: list ?? [], intervalMs, form, tellsSnapshots: snapshots === "sent" };
  if (events !== undefined) return { ...common, events, ...(times === "shifted" ? { movesTo: Date.now() } : {}) };
  return { ...common, generated: generatedOf(flags) };
}

function readFaults({ faults, faultSeed: seed, faultRate, connectionLifetimeMs: lifetimeMs }: Flags): FaultWishes {
  const orders = faults === undefined ? [] : parseFaultOrders(readFileSync(faults, "utf8"));
  if ("malformed" in orders) throw new SetupError(`${faults}: ${orders.malformed}`);
  return {
    seed,
    orders,
    ...(faultRate === undefined ? {} : { ratePerMinute: faultRate }),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  };
}

function generatedOf({ symbols, markets, preset, seed, seconds }: Flags): NonNullable<SimulatedVenues["generated"]> {
  const named = symbols ?? generatedNames(markets, preset);
  if (named.length < 1 || named.length > 1_000) throw new RangeError(`${named.length} markets: 1 to 1,000 can be had`);
  return { names: named, preset, seed, startTime: Date.now(), ...(seconds === undefined ? {} : { seconds }) };
}

/** `markets` are the first venue's, which answers without its name in the path too. */
function readyLine({ port, world }: VenueServer, host: string): Readonly<Record<string, unknown>> {
  const venues = Object.fromEntries(
    [...world.stalls].map(([name, { venue }]) => {
      const at = `${host}:${port}/${name}`;
      return [name, { stream: `ws://${at}`, rest: `http://${at}`, symbols: [...venue.listings.keys()] }];
    }),
  );
  const [first] = world.stalls.values();
  return { listening: port, host, grids: "declared", markets: [...(first?.venue.listings.keys() ?? [])], venues };
}

async function startReplay(flags: Flags, files: string[]): Promise<Running> {
  const bar = process.stderr.isTTY ? progressBar() : null;
  try {
    const { port, host, speed, times, holdMs } = flags;
    const repeat = flags.loop === true ? "loop" : "once";
    const source = { kind: "recorded", files, speed, repeat, times, holdMs } as const;
    const simulator = await startSimulator({ source, port, host, onSurvey: (messages) => bar?.update(messages) });
    const markets = [...simulator.source.markets.keys()];
    const ready = { listening: simulator.port, host, grids: simulator.source.gridsAre, markets };
    return { ready, finished: simulator.finished, close: () => simulator.close() };
  } finally {
    bar?.stop();
  }
}

/** Without a total: the length of a recording is known once it has been read. */
function progressBar(): SingleBar {
  const bar = new SingleBar({
    format: "reading the recording  {value} messages  {duration_formatted}",
    stream: process.stderr,
    clearOnComplete: true,
  });
  bar.start(0, 0);
  return bar;
}

function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function names(text: string): string[] {
  const found = text.split(",").filter((name) => name !== "");
  if (found.length === 0) throw new InvalidArgumentError("names by commas are needed");
  return found;
}

function integer(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("a whole number is needed");
  return Number(text);
}

function number(text: string): number {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("a number, 0 or more, is needed");
  return Number(text);
}
