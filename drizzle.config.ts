/** `npx drizzle-kit generate` writes the difference between workers/storage/schema.ts and the last migration into migrations/. */

import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./workers/storage/schema.ts",
  out: "./migrations",
});
