/**
 * Keeps a list of devices true against the server: follows the log from a cursor, reads pages when there is a cursor to read after,
 * and reads again what events alone cannot tell. What it all comes to is in `device-list.ts`.
 */
import { BytesQuery, DevicesQuery, UpdateEventsSubscription, changeOf, deviceOf } from './device.ts';
import type { Device } from './device.ts';
import { emptyList, reduce } from './device-list.ts';
import type { DeviceFilter, DeviceList, DeviceListMessage } from './device-list.ts';
import { keepFollowing } from './keep-following.ts';
import { Refusal } from './refusal.ts';
import type { Server } from './server.ts';

/** Rows that one scroll adds, and that a list may have. */
export const PAGE_ROWS = 100;
export const ROWS_MAX = 500;
/** The largest page that the server gives. */
const SERVER_PAGE_ROWS = 200;
/** A list that is stale again and again is read at most this often. */
const REREAD_EVERY_MS = 2_000;
const BYTES_EVERY_MS = 1_000;

interface Page {
  readonly devices: readonly Device[];
  readonly next: string | null;
  readonly total: number;
}

export class DeviceFollower implements Disposable {
  readonly #server: Server;
  readonly #tell: (list: DeviceList) => void;
  readonly #fail: (refusal: Refusal | null) => void;
  readonly #stop = new AbortController();
  #list: DeviceList;
  #isReading = false;
  #wantsMore = false;
  #readAt = Number.NEGATIVE_INFINITY;
  #rereadTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param tell is told the list whenever it changes
   * @param fail is told why the list could not be read; null when it could again
   */
  constructor(
    server: Server,
    filter: DeviceFilter,
    tell: (list: DeviceList) => void,
    fail: (refusal: Refusal | null) => void,
  ) {
    this.#server = server;
    this.#list = emptyList(filter);
    this.#tell = tell;
    this.#fail = fail;
    void this.#followEvents();
    const bytesTimer = setInterval(() => void this.#readBytes(), BYTES_EVERY_MS);
    this.#stop.signal.addEventListener('abort', () => {
      clearInterval(bytesTimer);
      clearTimeout(this.#rereadTimer);
    });
  }

  dispatch(message: DeviceListMessage): void {
    if (this.#stop.signal.aborted) return;
    this.#list = reduce(this.#list, message);
    this.#tell(this.#list);
    this.#consider();
  }

  /** Reads the next page. */
  more(): void {
    this.#wantsMore = this.#list.next !== null && this.#list.order.length < ROWS_MAX;
    this.#consider();
  }

  /** Reads the list again, at once. */
  again(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
    this.dispatch({ kind: 'outdated' });
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #followEvents(): Promise<void> {
    const { type } = this.#list.filter;
    const variables = () => ({ type, after: this.#list.cursor });
    return keepFollowing(this.#server, UpdateEventsSubscription, variables, this.#stop.signal, {
      next: ({ updateEvents: { cursor, events } }) => {
        this.dispatch({ kind: 'batch', cursor, changes: events.map(changeOf).filter((change) => change !== null) });
      },
      interrupted: (refusal) => {
        this.#fail(null);
        if (refusal?.code === 'CURSOR_EXPIRED') this.dispatch({ kind: 'cursorExpired' });
        // Not everything that may have happened meanwhile is in the log of updates.
        this.dispatch({ kind: 'outdated' });
      },
    });
  }

  /** Looks whether something is to be read, now or soon. */
  #consider(): void {
    const { cursor, isRead, isStale } = this.#list;
    // Before there is a cursor, and while the connection is lost, the next batch is waited for.
    if (this.#isReading || cursor === null || !this.#server.connection.isLive || this.#stop.signal.aborted) return;
    clearTimeout(this.#rereadTimer);
    if (!isRead) void this.#read(false);
    else if (this.#wantsMore) void this.#read(true);
    else if (isStale) {
      const waitMs = this.#readAt + REREAD_EVERY_MS - performance.now();
      if (waitMs <= 0) void this.#read(false);
      else this.#rereadTimer = setTimeout(() => this.#consider(), waitMs);
    }
  }

  async #read(isFollowing: boolean): Promise<void> {
    const { next, order } = this.#list;
    this.#isReading = true;
    this.#wantsMore = false;
    this.dispatch({ kind: 'reading' });
    try {
      const rows = isFollowing ? Math.min(PAGE_ROWS, ROWS_MAX - order.length) : Math.max(PAGE_ROWS, order.length);
      const page = await this.#readRows(isFollowing ? next : null, rows);
      this.#isReading = false;
      this.#readAt = performance.now();
      if (!this.#stop.signal.aborted) this.#fail(null);
      this.dispatch({ kind: 'page', ...page, isFollowing });
    } catch (reason) {
      if (!(reason instanceof Refusal)) throw reason;
      // That the connection is lost is told for the whole page.
      if (!this.#stop.signal.aborted && this.#server.connection.isLive) this.#fail(reason);
      this.dispatch({ kind: 'notRead' });
      // Whatever the reason, asking again at once would not help.
      await this.#server.connection.again();
      this.#isReading = false;
      this.#consider();
    }
  }

  async #readRows(from: string | null, rows: number): Promise<Page> {
    const { type, states, search } = this.#list.filter;
    const devices: Device[] = [];
    for (let after = from; ;) {
      const first = Math.min(SERVER_PAGE_ROWS, rows - devices.length);
      const variables = { first, after, type, states: states && [...states], search };
      const { totalCount, pageInfo, edges } = (await this.#server.ask(DevicesQuery, variables)).devices;
      devices.push(...edges.map(({ node }) => deviceOf(node)));
      const next = pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null;
      if (next === null || devices.length >= rows) return { devices, next, total: totalCount };
      after = next;
    }
  }

  /** As far as devices are downloading, and somebody looks. */
  async #readBytes(): Promise<void> {
    const { filter, rows, shown } = this.#list;
    const isPossible = !document.hidden && this.#server.connection.isLive;
    if (!isPossible || !shown.some((id) => rows.get(id)?.update?.state === 'DOWNLOADING')) return;
    try {
      const { devices } = await this.#server.ask(BytesQuery, { ...filter, first: SERVER_PAGE_ROWS });
      const served = devices.edges.flatMap(({ node: { id, update } }) =>
        update ? [{ deviceId: id, updateId: update.id, ...update }] : [],
      );
      this.dispatch({ kind: 'bytes', served });
    } catch (reason) {
      // The next look is a second away.
      if (!(reason instanceof Refusal)) throw reason;
    }
  }
}
