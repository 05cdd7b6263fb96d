/** `npm run bench -- <name>`: one line of JSON for each result on stdout, and for a reader a line of text on stderr. */

import { Command } from "commander";
import { benchBook } from "./book.ts";
import { benchDecode } from "./decode.ts";
import type { Bench } from "./report.ts";

const BENCHES: Readonly<Record<string, Bench>> = {
  book: benchBook,
  decode: benchDecode,
};

const DEFAULT_ROUNDS = "15";

new Command("bench")
  .description("Measures what is hot, beside a peer in the same run.")
  .argument("<name>", `one of: ${Object.keys(BENCHES).join(", ")}`)
  .option("--file <path>", "another recording (`.ndjson.gz`) to work on")
  .option("--rounds <count>", "timed rounds", DEFAULT_ROUNDS)
  .option("--json", "JSON lines alone")
  .action(async (name: string, options: { file?: string; rounds: string; json?: boolean }) => {
    const bench = BENCHES[name];
    if (bench === undefined) throw new Error(`no bench named "${name}": ${Object.keys(BENCHES).join(", ")}`);
    const results = await bench({ file: options.file ?? null, rounds: Number(options.rounds) });
    for (const result of results) {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      if (options.json !== true) process.stderr.write(`${result.name}: ${(result.seconds * 1_000).toFixed(1)} ms a round\n`);
    }
  })
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
