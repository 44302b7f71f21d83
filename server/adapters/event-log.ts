/**
 * Follows the log: one reader a process, woken by NOTIFY and by a periodic look, keeps the newest events in memory for everyone who
 * is live here. Numbers are in the order of commits (see domain/log.ts), so reading beyond the last number misses nothing; a hole
 * is a rollback.
 */
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Limits } from '../config.ts';
import { LOG_CHANNEL } from '../domain/log.ts';
import type { EventLog, LogBatch, LogChange, LogEvent } from '../domain/ports.ts';
import type { Query } from '../domain/query.ts';
import { queryOn } from './database.ts';
import type { Database } from './database.ts';

type LogLimits = Pick<Limits, 'logWindowMax' | 'logIdleLookMs' | 'logReadMax'>;

const RECONNECT_MS = 500;

export class DatabaseEventLog implements EventLog, AsyncDisposable {
  readonly id: string;
  readonly #database: Database;
  readonly #limits: LogLimits;
  readonly #logger: Logger;
  readonly #query: Query;
  readonly #listeners = new Set<(batch: LogBatch) => void>();
  readonly #waiting = new Set<() => void>();
  readonly #stop = new AbortController();
  #wake: () => void = () => {};
  #head: number;
  #floor: number;
  /** The newest events, and the number after which they are complete. */
  #window: LogEvent[] = [];
  #windowAfter: number;
  #listening: Promise<void> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();

  /** Begins at the log's present end. */
  static async open(database: Database, limits: LogLimits, logger: Logger): Promise<DatabaseEventLog> {
    const query = queryOn(database.pool);
    const [row] = await query<{ id: string; floor: number; head: number }>(
      `SELECT id, floor_seq::float8 AS floor, greatest(
         (SELECT coalesce(max(seq), 0) FROM update_event), (SELECT coalesce(max(seq), 0) FROM entity_change), floor_seq
       )::float8 AS head FROM log`,
      [],
    );
    if (row === undefined) throw new Error('The database has no log.');
    const eventLog = new DatabaseEventLog(database, limits, logger, query, row);
    eventLog.#listening = eventLog.#keepListening();
    eventLog.#following = eventLog.#follow();
    return eventLog;
  }

  private constructor(
    database: Database,
    limits: LogLimits,
    logger: Logger,
    query: Query,
    at: { id: string; floor: number; head: number },
  ) {
    this.id = at.id;
    this.#database = database;
    this.#limits = limits;
    this.#logger = logger;
    this.#query = query;
    this.#head = at.head;
    this.#floor = at.floor;
    this.#windowAfter = at.head;
  }

  head(): number {
    return this.#head;
  }

  floor(): number {
    return this.#floor;
  }

  async read(after: number, limit: number): Promise<{ events: readonly LogEvent[]; upTo: number }> {
    const head = this.#head;
    if (after >= this.#windowAfter) {
      const start = firstAfter(this.#window, after);
      const events = this.#window.slice(start, start + limit);
      return { events, upTo: events.length < limit ? head : lastOf(events, head) };
    }
    const events = await this.#query<LogEvent>(SELECT_EVENTS, [after, limit]);
    // What was seen at the head before we asked is visible to what we asked.
    return { events, upTo: events.length < limit ? Math.max(head, lastOf(events, head)) : lastOf(events, head) };
  }

  async changed(after: number, signal: AbortSignal): Promise<void> {
    while (this.#head <= after && !signal.aborted && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener('abort', done, { once: true });
      });
    }
  }

  listen(listener: (batch: LogBatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake();
    for (const done of [...this.#waiting]) done();
    await Promise.all([this.#listening, this.#following]);
  }

  /** Reads what is new, again and again. A look that fails is made again: the numbers do not run away. */
  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      let isBehind = false;
      try {
        isBehind = await this.#look();
      } catch (error) {
        this.#logger.warn({ err: error }, 'the log could not be read; trying again');
      }
      if (isBehind) continue;
      const timer = setTimeout(this.#wake, this.#limits.logIdleLookMs);
      await woken;
      clearTimeout(timer);
    }
  }

  /** @returns whether there may be more already */
  async #look(): Promise<boolean> {
    const limit = this.#limits.logReadMax;
    // One statement, so one snapshot: two would miss what commits between them.
    const rows = await this.#query<News>(SELECT_NEWS, [this.#head, limit]);
    const last = rows.at(-1);
    if (last === undefined) return false;
    const events = rows.filter((row): row is NewEvent => row.isEvent);
    const changes = rows.filter((row): row is NewChange => !row.isEvent);
    this.#keep(events);
    this.#head = last.seq;
    for (const listener of this.#listeners) listener({ events, changes });
    for (const done of [...this.#waiting]) done();
    return rows.length === limit;
  }

  #keep(events: readonly LogEvent[]): void {
    this.#window.push(...events);
    const surplus = this.#window.length - this.#limits.logWindowMax;
    if (surplus <= 0) return;
    this.#windowAfter = this.#window[surplus - 1]?.seq ?? this.#windowAfter;
    this.#window = this.#window.slice(surplus);
  }

  /** Holds one connection with LISTEN. While it is down, the periodic look does its work. */
  async #keepListening(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let client: pg.Client | undefined;
      try {
        const connection = await this.#database.connect();
        client = connection;
        const ended = new Promise<void>((resolve) => {
          connection.on('error', () => resolve());
          connection.on('end', () => resolve());
        });
        connection.on('notification', () => this.#wake());
        await connection.query(`LISTEN ${LOG_CHANNEL}`);
        this.#wake();
        await Promise.race([ended, aborted(this.#stop.signal)]);
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot listen to the log; looking periodically meanwhile');
      } finally {
        await client?.end().catch(() => {});
      }
      if (!this.#stop.signal.aborted) await delay(RECONNECT_MS, this.#stop.signal);
    }
  }
}

type NewEvent = LogEvent & { readonly isEvent: true };
type NewChange = LogChange & { readonly isEvent: false };
type News = NewEvent | NewChange;

/** The index of the first event beyond `after`, by halving. */
function firstAfter(events: readonly LogEvent[], after: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.seq ?? Infinity) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastOf(events: readonly LogEvent[], absent: number): number {
  return events.at(-1)?.seq ?? absent;
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const EVENT_COLUMNS = `seq::float8 AS seq, tenant_id AS "tenantId", customer_id AS "customerId",
  device_profile_id AS "deviceProfileId", device_id AS "deviceId", type::text AS type, update_id AS "updateId",
  package_id AS "packageId", state::text AS state, result::text AS result, error, revision,
  bytes_served::float8 AS "bytesServed", bytes_total::float8 AS "bytesTotal", at, received_at AS "receivedAt"`;

const SELECT_EVENTS = `SELECT ${EVENT_COLUMNS} FROM update_event WHERE seq > $1::bigint ORDER BY update_event.seq LIMIT $2`;

const SELECT_NEWS = `
  (SELECT true AS "isEvent", NULL::uuid AS "entityId", ${EVENT_COLUMNS}
   FROM update_event WHERE seq > $1::bigint ORDER BY update_event.seq LIMIT $2)
  UNION ALL
  (SELECT false, entity_id, seq::float8, tenant_id, NULL, NULL, NULL, type::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     changed_at, NULL
   FROM entity_change WHERE seq > $1::bigint ORDER BY entity_change.seq LIMIT $2)
  ORDER BY seq LIMIT $2`;
