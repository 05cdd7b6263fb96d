/** The script of a worker thread. */

import { workerData } from "node:worker_threads";
import { runWorker, type ThreadOrder } from "./tree-thread.ts";

runWorker(workerData as ThreadOrder);
