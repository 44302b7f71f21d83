/**
 * A list of devices that stays true: a snapshot, and the events since. Pure.
 *
 * Whoever follows subscribes first and has a cursor before asking for the snapshot. Events that arrive while a page is being read are
 * kept, one a device, and held against the page: what is newer than the page shows is applied, what the page has seen already is not.
 * So it does not matter which of the two comes first, or whether an event comes twice.
 *
 * Events tell what becomes of the devices in the list, and that one leaves it. Which devices are in it and in which order only the
 * server knows (it compares and searches names): an event that may bring one in makes the list stale, and it is read again.
 *
 * While somebody looks closely the list is held: rows change where they are, nothing comes or goes.
 */
import { isNewer } from './device.ts';
import type { Change, Device, Update } from './device.ts';
import type { PackageType, UpdateState } from './graphql.ts';

export interface DeviceFilter {
  readonly type: PackageType;
  /** Of the latest update; null: all. */
  readonly states: readonly UpdateState[] | null;
  /** Occurs in the name; '' for all. */
  readonly search: string;
}

export interface DeviceRow extends Device {
  /** Counted up by each change that was seen, for the mark that a changed row keeps. */
  readonly changes: number;
  /** False: it has left, and is still shown because the list is held. */
  readonly isMatch: boolean;
}

export interface DeviceList {
  readonly filter: DeviceFilter;
  /** By id; all that are shown or would be. */
  readonly rows: ReadonlyMap<string, DeviceRow>;
  /** Ids in the server's order, as far as the list was read. */
  readonly order: readonly string[];
  /** Ids of the rows on the screen: `order`, unless the list is held. */
  readonly shown: readonly string[];
  readonly isHeld: boolean;
  readonly isRead: boolean;
  /** Something may have come that only reading it again can show. */
  readonly isStale: boolean;
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
  /** How many match, as the server counted them at the last reading. */
  readonly total: number;
  /** Of the last batch of events. */
  readonly cursor: string | null;
  /** While a page is being read: the newest change of each device. */
  readonly pending: ReadonlyMap<string, Change> | null;
  /** In all, empty batches too. */
  readonly batchCount: number;
  readonly eventCount: number;
}

export type DeviceListMessage =
  | { readonly kind: 'batch'; readonly cursor: string; readonly changes: readonly Change[] }
  /** Something happened that no event of an update tells. */
  | { readonly kind: 'outdated' }
  /** The log no longer has what came after the cursor. */
  | { readonly kind: 'cursorExpired' }
  | { readonly kind: 'reading' }
  | {
      readonly kind: 'page';
      readonly devices: readonly Device[];
      readonly next: string | null;
      readonly total: number;
      /** It follows what was read already; else it is the list from its beginning. */
      readonly isFollowing: boolean;
    }
  | { readonly kind: 'notRead' }
  | { readonly kind: 'bytes'; readonly served: readonly BytesServed[] }
  | { readonly kind: 'hold' }
  | { readonly kind: 'release' }
  | { readonly kind: 'sortAgain' };

export interface BytesServed {
  readonly deviceId: string;
  readonly updateId: string;
  readonly bytesServed: number;
  readonly bytesTotal: number | null;
}

/** Devices of which a change is kept while a page is read; beyond it the page is read once more. */
export const PENDING_MAX = 10_000;

export function emptyList(filter: DeviceFilter): DeviceList {
  return {
    filter,
    rows: new Map(),
    order: [],
    shown: [],
    isHeld: false,
    isRead: false,
    isStale: false,
    next: null,
    total: 0,
    cursor: null,
    pending: null,
    batchCount: 0,
    eventCount: 0,
  };
}

export function reduce(list: DeviceList, message: DeviceListMessage): DeviceList {
  switch (message.kind) {
    case 'batch':
      return settled(withBatch(list, message.cursor, message.changes));
    case 'outdated':
      return { ...list, isStale: true };
    case 'cursorExpired':
      return { ...list, cursor: null, isStale: true };
    case 'reading':
      return { ...list, pending: new Map(), isStale: false };
    case 'page':
      return settled(withPage(list, message));
    case 'notRead':
      return { ...list, pending: null, isStale: true };
    case 'bytes':
      return { ...list, rows: withBytes(list.rows, message.served) };
    case 'hold':
      return { ...list, isHeld: true };
    case 'release':
      return settled({ ...list, isHeld: false });
    case 'sortAgain':
      return { ...settled({ ...list, isHeld: false }), isHeld: list.isHeld };
  }
}

/** Rows that would come or go if the list were not held. */
export function movedCount({ rows, order, shown, isHeld }: DeviceList): number {
  if (!isHeld) return 0;
  const isShown = new Set(shown);
  const come = order.filter((id) => !isShown.has(id) && rows.get(id)?.isMatch).length;
  return come + shown.filter((id) => !rows.get(id)?.isMatch).length;
}

function withBatch(list: DeviceList, cursor: string, changes: readonly Change[]): DeviceList {
  const rows = new Map(list.rows);
  const pending = list.pending && new Map(list.pending);
  let { isStale } = list;
  for (const change of changes) {
    const { id } = change.device;
    if (pending) {
      if (pending.has(id) || pending.size < PENDING_MAX) pending.set(id, change);
      else isStale = true;
    }
    const row = rows.get(id);
    if (row) rows.set(id, withChange(list.filter, row, change));
    else if (list.isRead && mayEnter(list, change)) isStale = true;
    // What was searched for only the server can count.
    if (row && list.filter.search !== '' && row.isMatch !== rows.get(id)?.isMatch) isStale = true;
  }
  const batchCount = list.batchCount + 1;
  return { ...list, rows, pending, isStale, cursor, batchCount, eventCount: list.eventCount + changes.length };
}

function withPage(
  list: DeviceList,
  { devices, next, total, isFollowing }: Extract<DeviceListMessage, { kind: 'page' }>,
): DeviceList {
  const rows = new Map<string, DeviceRow>(isFollowing ? list.rows : []);
  for (const device of devices) rows.set(device.id, withReading(list.filter, list.rows.get(device.id), device));
  const read = { ...list, rows, next, total, isRead: true, pending: null };
  let { isStale } = list;
  for (const [id, change] of list.pending ?? []) {
    const row = rows.get(id);
    if (row) rows.set(id, withChange(list.filter, row, change));
    else if (mayEnter(read, change)) isStale = true;
  }
  const ids = devices.map(({ id }) => id);
  const order = isFollowing ? [...new Set([...list.order, ...ids])] : ids;
  if (!list.isHeld) return { ...read, isStale, order };
  if (!list.isRead) return { ...read, isStale, order, shown: order };
  // What is on the screen stays there; a following page is what the reader has scrolled for.
  for (const id of list.shown) {
    const row = list.rows.get(id);
    if (row && !rows.has(id)) rows.set(id, { ...row, isMatch: false });
  }
  return { ...read, isStale, order, shown: isFollowing ? [...new Set([...list.shown, ...ids])] : list.shown };
}

/** Unless it is held: shows what matches, in the order that was read, and forgets the rest. */
function settled(list: DeviceList): DeviceList {
  if (list.isHeld || !list.isRead) return list;
  const order = list.order.filter((id) => list.rows.get(id)?.isMatch);
  const isShown = new Set(order);
  const rest = [...list.rows].filter(([id]) => !isShown.has(id));
  return {
    ...list,
    rows: rest.length === 0 ? list.rows : new Map([...list.rows].filter(([id]) => isShown.has(id))),
    order,
    shown: isSameOrder(order, list.shown) ? list.shown : order,
    // It left and came back while the list was held; its place is the server's to say.
    isStale: list.isStale || rest.some(([, { isMatch }]) => isMatch),
  };
}

function isSameOrder(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((id, index) => id === other[index]);
}

function withChange(filter: DeviceFilter, row: DeviceRow, { device, isDeleted }: Change): DeviceRow {
  if (isDeleted) return { ...row, isMatch: false };
  if (!isNewer(device.update, row.update)) return row;
  const update = inSuccession(row.update, device.update);
  return { ...device, update, changes: row.changes + 1, isMatch: isWanted(filter, update) };
}

/** An event says what its update came to. Where it came from is known from what was shown. */
function inSuccession(before: Update | null, update: Update): Update {
  if (before?.id !== update.id) return update;
  const isSameState = before.state === update.state;
  return {
    ...update,
    stateSince: isSameState ? before.stateSince : update.stateSince,
    reached: isSameState ? before.reached : before.state,
  };
}

/** A page may be older than the events that were applied since it was asked for. */
function withReading(filter: DeviceFilter, known: DeviceRow | undefined, device: Device): DeviceRow {
  const { update } = device;
  const isMatch = isWanted(filter, update);
  if (known === undefined) return { ...device, changes: 0, isMatch };
  if (known.update !== null && (update === null || isNewer(known.update, update))) return known;
  if (known.update?.id !== update?.id || known.update?.revision !== update?.revision) {
    return { ...device, changes: known.changes + 1, isMatch };
  }
  const bytesServed = Math.max(known.update?.bytesServed ?? 0, update?.bytesServed ?? 0);
  return { ...device, update: update && { ...update, bytesServed }, changes: known.changes, isMatch };
}

function withBytes(rows: DeviceList['rows'], served: readonly BytesServed[]): DeviceList['rows'] {
  const after = new Map(rows);
  for (const { deviceId, updateId, bytesServed, bytesTotal } of served) {
    const row = rows.get(deviceId);
    if (row?.update?.id !== updateId || row.update.bytesServed >= bytesServed) continue;
    after.set(deviceId, { ...row, update: { ...row.update, bytesServed, bytesTotal } });
  }
  return after;
}

function isWanted({ states }: DeviceFilter, update: Update | null): boolean {
  return states === null || states.includes(update?.state ?? 'NONE');
}

/** Without a filter by state, an event is of a device that is not in the list only where all of it was read and the device is new. */
function mayEnter({ filter, next }: DeviceList, { device, isDeleted }: Change): boolean {
  if (isDeleted || !device.name.toLowerCase().includes(filter.search.toLowerCase())) return false;
  return filter.states === null ? next === null : filter.states.includes(device.update.state);
}
