/**
 * The simulator from the command line. Prints one line of JSON when it listens: {"listening":PORT,…}. Ends on SIGINT and SIGTERM.
 */

import { SingleBar } from "cli-progress";
import { Command, InvalidArgumentError, Option } from "commander";
import type { GenerativeOptions } from "./generative-source.ts";
import type { RecordedOptions } from "./recorded-source.ts";
import { RecordingError } from "./recording.ts";
import { type SimulatorOptions, startSimulator } from "./simulator.ts";

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly replay?: string[];
  readonly speed: number;
  readonly loop?: true;
  readonly times: "kept" | "shifted";
  readonly holdMs: number;
  readonly markets: number;
  readonly preset: GenerativeOptions["preset"];
  readonly seed: number;
  readonly intervalMs: number;
  readonly seconds?: number;
}

const program = new Command("exchange-simulator")
  .description("Speaks Binance spot's websocket and REST protocols from a recording or from generated markets")
  .option("--port <port>", "port to listen on; 0 takes a free one", integer, 0)
  .option("--host <host>", "address to listen on", "127.0.0.1")
  .option("--speed <factor>", "1 is real time, N is N times as fast, 0 is as fast as the sockets take it", number, 1)
  .option("--replay <files...>", "recorded wire files, one after the other; without it markets are generated")
  .addOption(new Option("--once", "replay once (as it is without --loop)").conflicts("loop"))
  .option("--loop", "replay for ever; sockets are closed with 1012 at each end")
  .addOption(
    new Option("--times <which>", "times of a recording: as recorded, or moved to now by whole minutes")
      .choices(["kept", "shifted"])
      .default("kept"),
  )
  .option("--hold-ms <ms>", "longest wait at a recorded snapshot that nobody asks for", integer, 5_000)
  .option("--markets <count>", "generated markets: LARGEUSDT, SMALLUSDT, SIM003USDT, …", integer, 2)
  .addOption(new Option("--preset <name>", "kind of the generated markets").choices(["both", "large-tick", "small-tick"]).default("both"))
  .option("--seed <seed>", "seed of the first generated market; the next ones take the numbers after it", integer, 1)
  .option("--interval-ms <ms>", "length of a depth batch of generated markets", integer, 100)
  .option("--seconds <seconds>", "simulated time after which generated markets fall silent", number);

await main(program.parse().opts<Flags>());

async function main(flags: Flags): Promise<void> {
  const bar = flags.replay === undefined || !process.stderr.isTTY ? null : progressBar();
  const onSurvey = (messages: number) => bar?.update(messages);
  try {
    const options: SimulatorOptions = { source: sourceOf(flags), port: flags.port, host: flags.host, onSurvey };
    const simulator = await startSimulator(options);
    bar?.stop();
    const markets = [...simulator.source.markets.keys()];
    process.stdout.write(`${JSON.stringify({ listening: simulator.port, host: flags.host, grids: simulator.source.gridsAre, markets })}\n`);
    const end = () => void simulator.close().then(() => process.exit(0));
    process.once("SIGINT", end);
    process.once("SIGTERM", end);
    await simulator.finished;
  } catch (error) {
    bar?.stop();
    // What a user can put right is told in a sentence; anything else is a bug and keeps its stack.
    const isPlain = error instanceof RecordingError || error instanceof RangeError || (error instanceof Error && "code" in error);
    process.stderr.write(`exchange-simulator: ${isPlain ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}

function sourceOf(flags: Flags): RecordedOptions | GenerativeOptions {
  const { replay, speed, times, holdMs, markets, preset, seed, intervalMs, seconds } = flags;
  if (replay !== undefined) return { kind: "recorded", files: replay, speed, repeat: flags.loop === true ? "loop" : "once", times, holdMs };
  return { kind: "generative", markets, preset, seed, speed, intervalMs, ...(seconds === undefined ? {} : { seconds }) };
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

function integer(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("a whole number is needed");
  return Number(text);
}

function number(text: string): number {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError("a number, 0 or more, is needed");
  return Number(text);
}
