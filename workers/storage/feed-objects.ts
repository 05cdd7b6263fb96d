/** Names of feed objects that may hold something: what FEEDS named once is found there though it names it no more. */

import { eq, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { feedObjects } from "./schema.ts";

/** All that were ever named and not forgotten, these among them: they are noted, each once. */
export async function knownObjects(database: Database, named: readonly string[]): Promise<string[]> {
  const known = (await database.select().from(feedObjects).orderBy(feedObjects.name)).map(({ name }) => name);
  const news = named.filter((name) => !known.includes(name));
  if (news.length > 0)
    await database.run(
      sql`insert into ${feedObjects} (name) select value from json_each(${JSON.stringify(news)}) where true on conflict do nothing`,
    );
  return [...known, ...news];
}

/** It is named no more, and empty. */
export async function forgetObject(database: Database, name: string): Promise<void> {
  await database.delete(feedObjects).where(eq(feedObjects.name, name));
}
