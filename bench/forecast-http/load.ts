/**
 * The load of `bench forecast-http`, in a process of its own: for some seconds each connection asks, and asks again when it is answered. Of several paths each
 * connection begins at another one, so that no two ask for the same in step.
 */

import autocannon from "autocannon";

interface LoadRequest {
  readonly url: string;
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly answered: number;
  /** Answered with anything but 200, or not at all. */
  readonly failed: number;
}

const { url, paths, connections, seconds } = JSON.parse(process.argv[2] ?? "null") as LoadRequest;
const times: number[] = [];
let begun = 0;
const running = autocannon({
  url,
  connections,
  duration: seconds,
  setupClient: (client) => {
    const first = Math.floor((begun++ * paths.length) / connections);
    client.setRequests([...paths.slice(first), ...paths.slice(0, first)].map((path) => ({ method: "GET", path })));
  },
});
running.on("response", (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
const outcome = await running;
times.sort((a, b) => a - b);
const result: LoadResult = {
  requestsPerSecond: outcome["2xx"] / outcome.duration,
  p50Ms: times[Math.floor(times.length * 0.5)] ?? Number.NaN,
  p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN,
  answered: outcome["2xx"],
  failed: outcome.non2xx + outcome.errors + outcome.timeouts,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
