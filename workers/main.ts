/** The public Worker: HTTP to the API, cron to the stores. */

import { createApp } from "./api/app.ts";
import { runCron } from "./cron/run-cron.ts";
import type { PublicEnv } from "./env.ts";

const app = createApp();

export default {
  fetch: (request, env, execution) => app.fetch(request, env, execution),
  scheduled: (controller, env) => runCron(env, controller.scheduledTime),
} satisfies ExportedHandler<PublicEnv>;
