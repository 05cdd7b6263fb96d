/**
 * `npm start`: all of edgebook on one machine, without an account or the internet.
 *
 * In order: the simulator (unless live), D1 migrations, the shipped models into R2, the three Workers in one `wrangler dev`, then cron each
 * minute, which never fires by itself locally. Ctrl-C drains what is pending and stops everything; the data directory is taken up again by the
 * next start, with the models that were last published into it.
 */

import { mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseMarketId } from "../core/market/instrument.ts";
import { type Child, logTail, startNode } from "./child.ts";
import { isFree, lockData } from "./data-lock.ts";
import { DEPLOYABLES, QUIET_ENVIRONMENT, ROOT, WRANGLER } from "./deployables.ts";
import { parseStartOptions, type StartOptions } from "./options.ts";

const READY_WITHIN_MS = 60_000;
/** Two seconds into the minute: the minute before has been closed by then. */
const CRON_AFTER_MINUTE_MS = 2_000;
const MINUTE_MS = 60_000;
const ANSWER_WITHIN_MS = 30_000;
/** How long one waits who is about to end. */
const LAST_ANSWER_WITHIN_MS = 5_000;
const WATCH_INTERVAL_MS = 10_000;
const ASK_AGAIN_AFTER_MS = 2_000;
/** Questions in a row without an answer. */
const SILENCES_ALLOWED = 3;

const options = parseStartOptions(process.argv.slice(2));
const children: Child[] = [];
let isStopping = false;
let isReady = false;
let unlock = (): void => {};

/** SIGHUP: the terminal was closed. Left to itself Node would end, and the children, which have groups of their own, would not. */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0));
run().catch(async (error: unknown) => {
  // Whatever was being started when it was stopped has been ended by that.
  if (isStopping) return;
  console.error(`\nedgebook ${isReady ? "has ended" : "could not start"}: ${error instanceof Error ? error.message : String(error)}`);
  await stop(1);
});

async function run(): Promise<void> {
  if (!(await isFree(options.port))) throw new Error(`port ${options.port} is taken; choose another with --port`);
  mkdirSync(join(options.data, "logs"), { recursive: true });
  unlock = await lockData(options.data, options.port);
  const venue = options.venue === "live" ? liveVenue(options) : await startSimulator();
  await once("migrations", [WRANGLER, "d1", "migrations", "apply", "edgebook", "--local", "--persist-to", options.data], venue.env);
  await once("models", [join("training", "command-line", "main.ts"), "publish", "--shipped", "--local", options.data], venue.env);
  const workers = startWorkers(venue.env);
  await untilHealthy(workers);
  isReady = true;
  printAddresses(venue.market);
  driveCron();
  const end = await Promise.race([workers.ended.then((code) => `ended with ${code}`), untilSilent()]);
  if (!isStopping) throw new Error(`the Workers ${end}:\n${logTail(workers.logFile)}`);
}

interface Venue {
  readonly env: NodeJS.ProcessEnv;
  /** A market to show in the examples. */
  readonly market: string;
}

function liveVenue({ liveMarkets }: StartOptions): Venue {
  const symbols = new Map<string, string[]>();
  for (const market of liveMarkets) {
    const parts = parseMarketId(market);
    if (parts !== null) symbols.set(parts.venue, [...(symbols.get(parts.venue) ?? []), parts.symbol]);
  }
  return { env: workerEnvironment({ symbols, hosts: {} }), market: liveMarkets[0] ?? "" };
}

async function startSimulator(): Promise<Venue> {
  step(
    options.replay === null ? "exchange simulator: generated markets" : `exchange simulator: ${options.replay} at speed ${options.speed}`,
  );
  const source =
    options.replay === null
      ? [
          "--venues",
          options.venues.join(","),
          "--markets",
          String(options.markets),
          "--seed",
          String(options.seed),
          "--interval-ms",
          String(options.intervalMs),
        ]
      : ["--replay", options.replay, "--times", options.times, options.loop ? "--loop" : "--once"];
  const simulator = start(
    "simulator",
    [join("exchange-simulator", "main.ts"), "--port", "0", "--speed", options.speed, ...source],
    process.env,
  );
  const ready = await simulator.firstLine((line) => parseReady(line));
  void simulator.ended.then(() => {
    if (isStopping) return;
    console.error(`The simulator has ended:\n${logTail(simulator.logFile)}`);
    void stop(1);
  });
  const address = `127.0.0.1:${ready.listening}`;
  const venues = ready.venues ?? {
    "binance-spot": { stream: `ws://${address}`, rest: `http://${address}`, symbols: ready.markets },
  };
  const symbols = new Map(Object.entries(venues).map(([venue, listed]) => [venue, listed.symbols]));
  return { env: workerEnvironment({ symbols, hosts: venues }), market: `${Object.keys(venues)[0]}:${ready.markets[0]}` };
}

interface Ready {
  readonly listening: number;
  /** Symbols of the first venue's markets. */
  readonly markets: readonly string[];
  /** Of a replay there is none: it is of one venue. */
  readonly venues?: Readonly<Record<string, { readonly stream: string; readonly rest: string; readonly symbols: readonly string[] }>>;
}

/** The simulator's first line: where it listens, and the symbols of its markets. */
function parseReady(line: string): Ready | null {
  if (!line.startsWith("{")) return null;
  const ready = JSON.parse(line) as Partial<Ready>;
  return ready.listening !== undefined && ready.markets !== undefined ? (ready as Ready) : null;
}

/**
 * The variables that differ from the deployed configuration. `wrangler dev` gives --var to its first Worker alone, so they go by its
 * process environment, which is kept to what it needs.
 */
function workerEnvironment(venue: { symbols: ReadonlyMap<string, readonly string[]>; hosts: object }): NodeJS.ProcessEnv {
  const kept = ["PATH", "HOME", "TMPDIR", "TEMP", "USERPROFILE", "SYSTEMROOT"].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;
  return {
    ...Object.fromEntries(kept),
    // wrangler runs the dashboard's build by the name of node: it has to be this one, whoever called us and how.
    PATH: path,
    FEEDS: JSON.stringify(feedsOf(venue.symbols)),
    VENUE_HOSTS: JSON.stringify(venue.hosts),
    CLOUDFLARE_INCLUDE_PROCESS_ENV: "true",
    ...QUIET_ENVIRONMENT,
    NO_COLOR: "1",
    CI: "1",
  };
}

/** A feed for each venue; one alone is called main, as the deployed configuration calls its first. */
function feedsOf(symbols: ReadonlyMap<string, readonly string[]>): object[] {
  return [...symbols].map(([venue, listed]) => ({ feed: symbols.size === 1 ? "main" : venue, venue, symbols: listed }));
}

function startWorkers(env: NodeJS.ProcessEnv): Child {
  if (isStopping) throw new Error("stopped");
  step("the Workers: public, feed, inference");
  // The first one named is the one that answers on the port.
  const configurations = DEPLOYABLES.map(({ configuration }) => configuration).reverse();
  const args = [
    WRANGLER,
    "dev",
    ...configurations.flatMap((file) => ["-c", file]),
    "--port",
    String(options.port),
    "--ip",
    "127.0.0.1",
    // Left to wrangler it is the first free one from 9229, which two that start at once both take.
    "--inspector-port",
    "0",
    "--persist-to",
    options.data,
    "--show-interactive-dev-session=false",
  ];
  return start("workers", args, env);
}

async function untilHealthy(workers: Child): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let hasEnded = false;
  void workers.ended.then(() => {
    hasEnded = true;
  });
  while (Date.now() < deadline && !hasEnded) {
    if ((await get("/v1/health"))?.ok) return;
    await new Promise((next) => setTimeout(next, 250));
  }
  throw new Error(`the Workers did not answer:\n${logTail(workers.logFile)}`);
}

/**
 * Resolves when nothing answers any more. wrangler starts a Workers' process that died anew, but one of its two is the door of the other, and
 * when the door is the new one it stays shut (seen with wrangler 4.155): requests hang for ever, and no process has ended.
 */
async function untilSilent(): Promise<string> {
  for (let silences = 0; silences < SILENCES_ALLOWED; ) {
    await new Promise((next) => setTimeout(next, silences === 0 ? WATCH_INTERVAL_MS : ASK_AGAIN_AFTER_MS));
    // A page that asks no feed: watching must not be what keeps the feed awake.
    silences = (await get("/problems/stale-book", LAST_ANSWER_WITHIN_MS)) === null ? silences + 1 : 0;
  }
  return "no longer answer";
}

function driveCron(): void {
  const next = MINUTE_MS - (Date.now() % MINUTE_MS) + CRON_AFTER_MINUTE_MS;
  setTimeout(() => {
    if (isStopping) return;
    void runCron();
    driveCron();
  }, next).unref();
}

async function runCron(withinMs = ANSWER_WITHIN_MS): Promise<void> {
  const response = await get(`/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}`, withinMs);
  if (!response?.ok && !isStopping)
    console.error(`cron: ${response === null ? "no answer" : `${response.status} ${await response.text()}`}`);
}

function printAddresses(market: string): void {
  const base = `http://127.0.0.1:${options.port}`;
  console.log(`
edgebook is at ${base} (documentation: ${base}/docs). Recorded in ${options.data}. Ctrl-C stops it.

  curl ${base}/v1/markets
  curl ${base}/v1/markets/${market}/forecast      # once 31 s of the market have been seen
  curl ${base}/v1/markets/${market}/signal?kind=neural
  curl ${base}/v1/markets/${market}/snapshots     # a row each minute
`);
}

async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  if (isReady && code === 0) {
    console.log("\nStopping: storing what is pending …");
    await runCron(LAST_ANSWER_WITHIN_MS);
  }
  for (const child of children.reverse()) await child.stop(5_000);
  unlock();
  process.exit(code);
}

async function once(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  if (isStopping) throw new Error("stopped");
  step(name);
  const child = start(name, args, env);
  const code = await child.ended;
  if (code !== 0) throw new Error(`${name} failed with ${code}:\n${logTail(child.logFile)}`);
}

function start(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Child {
  const child = startNode({ name, args, env, cwd: ROOT, logFile: join(options.data, "logs", `${name}.log`) });
  children.push(child);
  return child;
}

function step(what: string): void {
  console.log(`· ${what}`);
}

async function get(path: string, withinMs = ANSWER_WITHIN_MS): Promise<Response | null> {
  try {
    return await fetch(`http://127.0.0.1:${options.port}${path}`, { signal: AbortSignal.timeout(withinMs) });
  } catch {
    return null;
  }
}
