/**
 * What a feed keeps in its object's SQLite until D1 and R2 have it: tape chunks, closed minutes, gaps, and when it was last alive.
 *
 * Each flush writes a chunk and the alive mark, and each chunk is deleted once: with the alarm some 60,000 rows a day, whatever the number of
 * messages. Rows are what storage costs. A chunk's body is the gzip members of several symbols, one after
 * the other; its directory says whose is how long.
 */

import { type Instrument, marketId } from "../../core/market/instrument.ts";
import type { SymbolTape } from "../../core/wire/minute-tapes.ts";
import type { GapRecord, MinuteSnapshot, PendingMinute } from "../../feed/contract.ts";
import type { EarlierCounts } from "../../feed/minute-tally.ts";
import { createPendingRoom } from "../../feed/pending-frames.ts";
import { Room } from "../../feed/room.ts";
import { createTapeRoom, type TapePart } from "./tape-buffer.ts";

/** A row holds 2 MB; leave room for the directory. */
const CHUNK_BYTES = 1_800_000;
/** Tape held by an object for a storage that doesn't come for it: about a day of a busy feed. Then the oldest minutes go, with gaps. */
export const MAX_HELD_BYTES = 1_000_000_000;
/** Levels of closed minutes that an object holds while its storage refuses them: some 24 MB, two hours of sixty markets' twenty levels a side. */
const MAX_UNSTORED_LEVELS = 400_000;
/** Gaps held for a ledger that doesn't come for them. */
const MAX_HELD_GAPS = 10_000;
/** In the place of a feed's name, for what is of the object itself: no feed has an empty name. */
const OBJECT = "";
/** Between a feed's name and a venue that it records no more; in the name of no configured feed. */
const OF_VENUE = "@";

/** Written at each flush: where a process that dies was. */
export interface AliveMark {
  readonly at: number;
  /** Start of the minute that was open. */
  readonly minute: number;
  /** By symbol. */
  readonly markets: Record<string, AliveMarket>;
}

export interface AliveMarket extends EarlierCounts {
  /** Starts of its last gaps. */
  readonly gapStarts: readonly number[];
}

/** What of a feed's oldest minute was let go. */
export interface LetGo {
  readonly feed: string;
  readonly minute: number;
  /** Markets that had tape or a row in it, `venue:_feed` among them where there was tape of no one market. */
  readonly markets: readonly string[];
}

/** The object's database and memory, which its feeds share. */
export class ObjectStore {
  readonly storage: DurableObjectStorage;
  /** Characters of tape, and of frames whose snapshots are on their way; levels of minute rows. Held in memory. */
  readonly tapeRoom = createTapeRoom();
  readonly pendingRoom = createPendingRoom();
  readonly rowsRoom = new Room(MAX_UNSTORED_LEVELS);

  constructor(storage: DurableObjectStorage) {
    this.storage = storage;
    const { sql } = storage;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS kept (feed TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (feed, key)) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS chunks (id INTEGER PRIMARY KEY, feed TEXT NOT NULL, minute INTEGER NOT NULL, directory TEXT NOT NULL, body BLOB NOT NULL)`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS minutes (feed TEXT NOT NULL, minute INTEGER NOT NULL, snapshots TEXT NOT NULL, PRIMARY KEY (feed, minute)) WITHOUT ROWID`,
    );
    sql.exec(
      `CREATE TABLE IF NOT EXISTS gaps (id TEXT PRIMARY KEY, feed TEXT NOT NULL, gap TEXT NOT NULL, is_stored INTEGER NOT NULL) WITHOUT ROWID`,
    );
  }

  /** The object's own name, as an earlier process knew it; null where none did. */
  name(): string | null {
    const row = this.storage.sql.exec<{ value: string }>(`SELECT value FROM kept WHERE feed = ? AND key = 'name'`, OBJECT).toArray()[0];
    return row?.value ?? null;
  }

  /** Of all its feeds, those among them that aren't configured any more. */
  heldBytes(): number {
    const { sql } = this.storage;
    const [chunks] = sql.exec<{ bytes: number | null }>(`SELECT SUM(length(body)) AS bytes FROM chunks`).toArray();
    const [minutes] = sql.exec<{ bytes: number | null }>(`SELECT SUM(length(snapshots)) AS bytes FROM minutes`).toArray();
    return (chunks?.bytes ?? 0) + (minutes?.bytes ?? 0);
  }

  /** Lets everything go of the oldest minute that any of its feeds holds. @returns what that was; null when there is none. */
  dropOldest(): LetGo | null {
    const [oldest] = this.storage.sql
      .exec<{ feed: string; minute: number }>(
        `SELECT feed, minute FROM (SELECT feed, minute FROM chunks UNION ALL SELECT feed, minute FROM minutes) ORDER BY minute, feed LIMIT 1`,
      )
      .toArray();
    if (oldest === undefined) return null;
    const { feed, minute } = oldest;
    const store = new FeedStore(this, feed);
    const markets = store.marketsOf(minute);
    store.acknowledgeMinutes([minute]);
    return { feed, minute, markets };
  }

  /** Feeds, configured or not, with tape, minutes or gaps that are not stored, a gap that is not over, or an alive mark: an end that is not told yet. */
  feedsHolding(): string[] {
    return this.storage.sql
      .exec<{ feed: string }>(
        `SELECT feed FROM chunks UNION SELECT feed FROM minutes UNION SELECT feed FROM gaps UNION SELECT feed FROM kept WHERE key = 'alive' ORDER BY feed`,
      )
      .toArray()
      .map(({ feed }) => feed);
  }

  keepName(name: string): void {
    if (this.name() === name) return;
    this.storage.sql.exec(`INSERT OR REPLACE INTO kept (feed, key, value) VALUES (?, 'name', ?)`, OBJECT, name);
  }

  /**
   * Before a feed begins: what one of its name recorded of another venue is put aside, under `name@venue`, as a former feed's. Symbols are a venue's own,
   * so that nothing of it may be taken for the new one's: no tape, no open minute, no count.
   */
  putAsideOtherVenue(feed: string, venue: string): void {
    const store = new FeedStore(this, feed);
    const held = store.venue();
    if (held !== null && held !== venue) this.putAside(feed, `${feed}${OF_VENUE}${held}`);
    if (store.kept<string>("venue") !== venue) store.keep("venue", venue);
  }

  /** Of a feed that went there and back before it was stored, the minute of the change may be there already: its row stays, and gets the tape of both. */
  private putAside(feed: string, aside: string): void {
    this.storage.transactionSync(() => {
      const { sql } = this.storage;
      sql.exec(`UPDATE chunks SET feed = ? WHERE feed = ?`, aside, feed);
      sql.exec(`UPDATE gaps SET feed = ? WHERE feed = ?`, aside, feed);
      sql.exec(`UPDATE OR IGNORE minutes SET feed = ? WHERE feed = ?`, aside, feed);
      sql.exec(`UPDATE OR REPLACE kept SET feed = ? WHERE feed = ?`, aside, feed);
      sql.exec(`DELETE FROM minutes WHERE feed = ?`, feed);
    });
  }
}

/** The name that a feed recorded under, and tapes are filed by: without the venue where it was put aside. */
export function recordedName(feed: string): string {
  return feed.split(OF_VENUE)[0] ?? feed;
}

export class FeedStore {
  /** Rows that SQLite has read and written for this feed in this process, as they are billed. */
  rowsRead = 0;
  rowsWritten = 0;
  readonly object: ObjectStore;
  private readonly storage: DurableObjectStorage;
  private readonly sql: SqlStorage;
  private readonly feed: string;

  constructor(object: ObjectStore, feed: string) {
    this.object = object;
    this.storage = object.storage;
    this.sql = object.storage.sql;
    this.feed = feed;
  }

  /** All of `write`, or nothing of it when it throws. */
  atomically(write: () => void): void {
    this.storage.transactionSync(write);
  }

  kept<T>(key: string): T | null {
    const row = this.rows<{ value: string }>(`SELECT value FROM kept WHERE feed = ? AND key = ?`, this.feed, key)[0];
    return row === undefined ? null : (JSON.parse(row.value) as T);
  }

  keep(key: string, value: unknown): void {
    this.rows(
      `INSERT INTO kept (feed, key, value) VALUES (?1, ?2, ?3) ON CONFLICT (feed, key) DO UPDATE SET value = ?3`,
      this.feed,
      key,
      JSON.stringify(value),
    );
  }

  forget(key: string): void {
    this.rows(`DELETE FROM kept WHERE feed = ? AND key = ?`, this.feed, key);
  }

  /** A part too large for a row is cut: its pieces follow one another, and `tape` joins them again. */
  saveChunk(minute: number, parts: readonly TapePart[]): void {
    let group: TapePart[] = [];
    let bytes = 0;
    for (const piece of parts.flatMap(piecesOf)) {
      if (bytes + piece.gzip.length > CHUNK_BYTES && group.length > 0) {
        this.insertChunk(minute, group);
        group = [];
        bytes = 0;
      }
      group.push(piece);
      bytes += piece.gzip.length;
    }
    if (group.length > 0) this.insertChunk(minute, group);
  }

  saveMinute(minute: number, snapshots: readonly MinuteSnapshot[]): void {
    this.rows(
      `INSERT INTO minutes (feed, minute, snapshots) VALUES (?1, ?2, ?3) ON CONFLICT (feed, minute) DO UPDATE SET snapshots = ?3`,
      this.feed,
      minute,
      JSON.stringify(snapshots),
    );
  }

  /** Minutes without a row that have tape, or were open when the process was last alive: it died in them. */
  unclosedMinutes(before: number, lastOpen: number): number[] {
    return this.rows<{ minute: number }>(
      `SELECT minute FROM (SELECT minute FROM chunks WHERE feed = ?1 UNION SELECT ?3)
       WHERE minute < ?2 AND minute NOT IN (SELECT minute FROM minutes WHERE feed = ?1) ORDER BY minute`,
      this.feed,
      before,
      lastOpen,
    ).map((row) => row.minute);
  }

  hasMinute(minute: number): boolean {
    return this.rows(`SELECT 1 FROM minutes WHERE feed = ? AND minute = ?`, this.feed, minute).length > 0;
  }

  pendingMinutes(limit: number): PendingMinute[] {
    const rows = this.rows<{ minute: number; snapshots: string }>(
      `SELECT minute, snapshots FROM minutes WHERE feed = ? ORDER BY minute LIMIT ?`,
      this.feed,
      limit,
    );
    return rows.map((row) => ({
      minute: row.minute,
      snapshots: JSON.parse(row.snapshots) as MinuteSnapshot[],
      tapes: this.tapesOf(row.minute),
    }));
  }

  pendingCount(): { minutes: number; oldest: number | null } {
    return this.row<{ minutes: number; oldest: number | null }>(
      `SELECT COUNT(*) AS minutes, MIN(minute) AS oldest FROM minutes WHERE feed = ?`,
      this.feed,
    );
  }

  /** The gzip members of some symbols in a minute, each symbol's concatenated; of one without any, nothing. */
  tapes(symbols: readonly string[], minute: number): SymbolTape[] {
    const members = new Map<string, Uint8Array[]>(symbols.map((symbol) => [symbol, []]));
    // Row by row: a minute's chunks together may be larger than what is wanted of them.
    const rows = this.sql.exec<{ directory: string; body: ArrayBuffer }>(
      `SELECT directory, body FROM chunks WHERE feed = ? AND minute = ? ORDER BY id`,
      this.feed,
      minute,
    );
    for (const row of rows) {
      let offset = 0;
      for (const [symbol, length] of JSON.parse(row.directory) as [string, number][]) {
        // Copied: a view would keep the whole chunk alive.
        members.get(symbol)?.push(new Uint8Array(row.body.slice(offset, offset + length)));
        offset += length;
      }
    }
    this.count(rows);
    return [...members].flatMap(([symbol, parts]) => (parts.length === 0 ? [] : [{ symbol, bytes: concatenate(parts) }]));
  }

  /** One symbol's; null when there are none. */
  tape(symbol: string, minute: number): Uint8Array | null {
    return this.tapes([symbol], minute)[0]?.bytes ?? null;
  }

  acknowledgeMinutes(minutes: readonly number[]): void {
    const list = JSON.stringify(minutes);
    this.rows(`DELETE FROM chunks WHERE feed = ? AND minute IN (SELECT value FROM json_each(?))`, this.feed, list);
    this.rows(`DELETE FROM minutes WHERE feed = ? AND minute IN (SELECT value FROM json_each(?))`, this.feed, list);
  }

  saveGaps(gaps: readonly GapRecord[]): void {
    for (const gap of gaps) {
      this.rows(
        `INSERT INTO gaps (id, feed, gap, is_stored) VALUES (?1, ?2, ?3, 0) ON CONFLICT (id) DO UPDATE SET gap = ?3, is_stored = 0`,
        gap.id,
        this.feed,
        JSON.stringify(gap),
      );
    }
    if (gaps.length === 0) return;
    this.rows(
      `DELETE FROM gaps WHERE feed = ?1 AND json_extract(gap, '$.to') IS NOT NULL
       AND id NOT IN (SELECT id FROM gaps WHERE feed = ?1 ORDER BY json_extract(gap, '$.from') DESC LIMIT ?2)`,
      this.feed,
      MAX_HELD_GAPS,
    );
  }

  pendingGaps(): GapRecord[] {
    return this.gapsWhere(`is_stored = 0`);
  }

  openGaps(): GapRecord[] {
    return this.gapsWhere(`json_extract(gap, '$.to') IS NULL`);
  }

  /**
   * What the ledger has: closed gaps go, open ones stay until they close. A gap that closed in the meantime is sent again. That of a market which is
   * retired goes too: nobody here will close it.
   */
  acknowledgeGaps(gaps: readonly Pick<GapRecord, "id" | "to">[]): void {
    for (const { id, to } of gaps) {
      this.rows(`DELETE FROM gaps WHERE id = ? AND json_extract(gap, '$.reason') = 'retired' AND json_extract(gap, '$.to') IS ?`, id, to);
      if (to === null) this.rows(`UPDATE gaps SET is_stored = 1 WHERE id = ? AND json_extract(gap, '$.to') IS NULL`, id);
      else this.rows(`DELETE FROM gaps WHERE id = ? AND json_extract(gap, '$.to') = ?`, id, to);
    }
  }

  heldBytes(): number {
    const chunks = this.row<{ bytes: number | null }>(`SELECT SUM(length(body)) AS bytes FROM chunks WHERE feed = ?`, this.feed).bytes ?? 0;
    return (
      chunks +
      (this.row<{ bytes: number | null }>(`SELECT SUM(length(snapshots)) AS bytes FROM minutes WHERE feed = ?`, this.feed).bytes ?? 0)
    );
  }

  /** Markets with a row or tape of that minute. */
  marketsOf(minute: number): string[] {
    const row = this.rows<{ snapshots: string }>(`SELECT snapshots FROM minutes WHERE feed = ? AND minute = ?`, this.feed, minute)[0];
    const snapshots = row === undefined ? [] : (JSON.parse(row.snapshots) as MinuteSnapshot[]);
    const venue = this.venue() ?? "unknown";
    const taped = this.tapesOf(minute).map(({ symbol }) => marketId(venue, symbol));
    return [...new Set([...snapshots.map(({ market }) => market), ...taped])];
  }

  /** The venue that it records, or last did; null where nothing ever began. What an earlier deployment left says it by its grids alone. */
  venue(): string | null {
    return this.kept<string>("venue") ?? this.kept<Instrument[]>("instruments")?.[0]?.venue ?? null;
  }

  private rows<T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): T[] {
    const cursor = this.sql.exec<T>(query, ...bindings);
    const rows = cursor.toArray();
    this.count(cursor);
    return rows;
  }

  /** Of a query that has one row whatever the tables hold. */
  private row<T extends Record<string, SqlStorageValue>>(query: string, ...bindings: unknown[]): T {
    const cursor = this.sql.exec<T>(query, ...bindings);
    const row = cursor.one();
    this.count(cursor);
    return row;
  }

  /** @param cursor one that was read to its end. */
  private count({ rowsRead, rowsWritten }: { readonly rowsRead: number; readonly rowsWritten: number }): void {
    this.rowsRead += rowsRead;
    this.rowsWritten += rowsWritten;
  }

  private insertChunk(minute: number, parts: readonly TapePart[]): void {
    const directory = JSON.stringify(parts.map((part) => [part.symbol, part.gzip.length]));
    this.rows(
      `INSERT INTO chunks (feed, minute, directory, body) VALUES (?, ?, ?, ?)`,
      this.feed,
      minute,
      directory,
      concatenate(parts.map((part) => part.gzip)),
    );
  }

  private tapesOf(minute: number): { symbol: string; bytes: number }[] {
    const bytes = new Map<string, number>();
    for (const row of this.rows<{ directory: string }>(`SELECT directory FROM chunks WHERE feed = ? AND minute = ?`, this.feed, minute)) {
      for (const [symbol, length] of JSON.parse(row.directory) as [string, number][]) bytes.set(symbol, (bytes.get(symbol) ?? 0) + length);
    }
    return [...bytes].map(([symbol, length]) => ({ symbol, bytes: length }));
  }

  private gapsWhere(condition: string): GapRecord[] {
    const rows = this.rows<{ gap: string }>(
      `SELECT gap FROM gaps WHERE feed = ? AND ${condition} ORDER BY json_extract(gap, '$.from')`,
      this.feed,
    );
    return rows.map((row) => JSON.parse(row.gap) as GapRecord);
  }
}

function piecesOf(part: TapePart): TapePart[] {
  const pieces: TapePart[] = [];
  for (let start = 0; start < part.gzip.length; start += CHUNK_BYTES) {
    pieces.push({ symbol: part.symbol, gzip: part.gzip.subarray(start, start + CHUNK_BYTES) });
  }
  return pieces;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
