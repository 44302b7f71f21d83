/** Devices as lists and counts of them show them, from the slots and the counters alone. */
import type { PackageType, UpdateState } from '../../prisma/client/enums.ts';
import type { Actor } from './actor.ts';
import { ValidationError } from './errors.ts';
import type { Query } from './query.ts';
import { UPDATE_STATES } from './update-state.ts';

export interface StateCount {
  readonly state: UpdateState;
  readonly count: number;
}

/** Every state in order, zeros included. */
export async function fleetCounts(
  query: Query,
  actor: Actor,
  { type, deviceProfileId }: { readonly type: PackageType; readonly deviceProfileId: string | null },
): Promise<StateCount[]> {
  const rows = await query<StateCount>(
    `SELECT state::text, sum(count)::int AS count FROM fleet_count
     WHERE tenant_id = $1::uuid AND type = $2::package_type
       AND ($3::uuid IS NULL OR customer_id = $3::uuid) AND ($4::uuid IS NULL OR device_profile_id = $4::uuid)
     GROUP BY state`,
    [actor.tenantId, type, actor.customerId, deviceProfileId],
  );
  return inOrder(rows);
}

/** Every state in order, zeros included. */
export function inOrder(counts: readonly StateCount[]): StateCount[] {
  const byState = new Map(counts.map(({ state, count }) => [state, count]));
  return UPDATE_STATES.map((state) => ({ state, count: byState.get(state) ?? 0 }));
}

export interface DeviceFilter {
  /** Occurs in the name, in any case. */
  readonly search: string | null;
  readonly deviceProfileId: string | null;
  /** The package type whose slot is looked at. */
  readonly type: PackageType;
  /** Of the latest update; null: all. */
  readonly states: readonly UpdateState[] | null;
}

export const DEVICE_ORDERS = ['NAME', 'TIME_IN_STATE', 'LAST_SEEN'] as const;
export type DeviceOrder = (typeof DEVICE_ORDERS)[number];

/** A device's place in a list: the order, its sort values, its id. */
export interface DevicePlace {
  readonly id: string;
  readonly key: readonly string[];
}

interface PlaceRow {
  readonly id: string;
  readonly name: string;
  readonly at: Date | null;
}

/**
 * One page of devices, by keyset.
 * @param after the key of the device after which it begins
 * @throws ValidationError where `states` is empty, or `after` is of another order
 */
export async function listDevices(
  query: Query,
  actor: Actor,
  filter: DeviceFilter,
  order: DeviceOrder,
  { take, after }: { readonly take: number; readonly after: readonly string[] | null },
): Promise<DevicePlace[]> {
  if (filter.states?.length === 0) throw new ValidationError('states must name at least one state.');
  requireKeyOf(order, after);
  const statement = new Statement(actor, filter);
  const rows = await query<PlaceRow>(LISTS[order](statement, after, take), statement.values);
  return rows.map(({ id, name, at }) => ({ id, key: keyOf(order, id, name, at) }));
}

/** @param max counting ends there */
export async function countDevices(query: Query, actor: Actor, filter: DeviceFilter, max: number): Promise<number> {
  if (!filter.search) {
    const counts = await fleetCounts(query, actor, filter);
    return counts.reduce((sum, { state, count }) => sum + (filter.states?.includes(state) === false ? 0 : count), 0);
  }
  const statement = new Statement(actor, filter);
  const states = filter.states === null ? '' : `AND s.state = ANY(${statement.value(filter.states)}::update_state[])`;
  const [row] = await query<{ count: number }>(
    `SELECT count(*)::int AS count
     FROM (SELECT FROM slot s WHERE ${statement.where} ${states} LIMIT ${statement.value(max)}) AS counted`,
    statement.values,
  );
  return row?.count ?? 0;
}

/** What every list filters by, and the values of the statement that is being written. */
class Statement {
  readonly values: unknown[] = [];
  readonly where: string;
  readonly states: readonly UpdateState[] | null;

  constructor(actor: Actor, filter: DeviceFilter) {
    this.states = filter.states;
    const conditions = [
      `s.tenant_id = ${this.value(actor.tenantId)}::uuid AND s.type = ${this.value(filter.type)}::package_type`,
    ];
    if (actor.customerId !== null) conditions.push(`s.customer_id = ${this.value(actor.customerId)}::uuid`);
    if (filter.deviceProfileId !== null)
      conditions.push(`s.device_profile_id = ${this.value(filter.deviceProfileId)}::uuid`);
    if (filter.search) conditions.push(`s.name ILIKE ${this.value(`%${escapeLike(filter.search)}%`)}`);
    this.where = conditions.join(' AND ');
  }

  /** @returns the parameter that stands for it */
  value(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

type List = (statement: Statement, after: readonly string[] | null, take: number) => string;

const LISTS: Readonly<Record<DeviceOrder, List>> = {
  NAME: byName,
  TIME_IN_STATE: byTimeInState,
  LAST_SEEN: byLastSeen,
};

function byName(statement: Statement, after: readonly string[] | null, take: number): string {
  const beyond = after && `(s.name, s.device_id) > (${statement.value(after[1])}, ${statement.value(after[2])}::uuid)`;
  return inEachState(statement, statement.states, beyond, 'name', take);
}

/** The longest first. An index serves one state at a time. */
function byTimeInState(statement: Statement, after: readonly string[] | null, take: number): string {
  const beyond =
    after &&
    `(s.state_at, s.device_id) > (${statement.value(after[1])}::timestamptz, ${statement.value(after[2])}::uuid)`;
  return inEachState(statement, statement.states ?? UPDATE_STATES, beyond, 'at', take);
}

/** The first of each state, of which the first are the page: so an index gives them in order, however many states are wanted. */
function inEachState(
  statement: Statement,
  states: readonly UpdateState[] | null,
  beyond: string | null,
  sort: 'name' | 'at',
  take: number,
): string {
  const limit = statement.value(take);
  const first = (state: string) =>
    `SELECT s.device_id AS id, s.name, s.state_at AS at FROM slot s
     WHERE ${statement.where} ${state} ${beyond === null ? '' : `AND ${beyond}`} ORDER BY ${sort}, id LIMIT ${limit}`;
  if (states === null) return first('');
  return `SELECT page.* FROM unnest(${statement.value(states)}::update_state[]) AS wanted(state)
    CROSS JOIN LATERAL (${first('AND s.state = wanted.state')}) AS page ORDER BY page.${sort}, page.id LIMIT ${limit}`;
}

/** The latest first; after them, by name, those that were never seen. */
function byLastSeen(statement: Statement, after: readonly string[] | null, take: number): string {
  const limit = statement.value(take);
  const state =
    statement.states === null ? '' : `AND s.state = ANY(${statement.value(statement.states)}::update_state[])`;
  const [, seen, sort, id] = after ?? [];
  const isPastSeen = seen === 'NEVER';
  const beyondSeen =
    after && !isPastSeen
      ? `AND (d.seen_at, d.device_id) < (${statement.value(sort)}::timestamptz, ${statement.value(id)}::uuid)`
      : '';
  const beyondName = isPastSeen
    ? `AND (s.name, s.device_id) > (${statement.value(sort)}, ${statement.value(id)}::uuid)`
    : '';
  const seenDevices = `SELECT s.device_id AS id, s.name, d.seen_at AS at
    FROM device_seen d JOIN slot s ON s.device_id = d.device_id
    WHERE ${statement.where} ${state} AND d.tenant_id = s.tenant_id ${beyondSeen}
    ORDER BY d.seen_at DESC, d.device_id DESC LIMIT ${limit}`;
  const others = `SELECT s.device_id AS id, s.name, NULL::timestamptz AS at FROM slot s
    WHERE ${statement.where} ${state} AND NOT EXISTS (SELECT FROM device_seen d WHERE d.device_id = s.device_id) ${beyondName}
    ORDER BY s.name, s.device_id LIMIT ${limit}`;
  if (isPastSeen) return others;
  return `SELECT * FROM ((${seenDevices}) UNION ALL (${others})) AS page
    ORDER BY at IS NULL, at DESC, CASE WHEN at IS NULL THEN name END, CASE WHEN at IS NOT NULL THEN id END DESC, id LIMIT ${limit}`;
}

function keyOf(order: DeviceOrder, id: string, name: string, at: Date | null): string[] {
  if (order === 'NAME') return [order, name, id];
  if (order === 'TIME_IN_STATE') return [order, at?.toISOString() ?? '', id];
  return at === null ? [order, 'NEVER', name, id] : [order, 'SEEN', at.toISOString(), id];
}

function requireKeyOf(order: DeviceOrder, key: readonly string[] | null): void {
  if (key === null) return;
  const isOfOrder = key[0] === order && key.length === (order === 'LAST_SEEN' ? 4 : 3);
  const instant = order === 'TIME_IN_STATE' ? key[1] : order === 'LAST_SEEN' && key[1] === 'SEEN' ? key[2] : undefined;
  if (isOfOrder && (instant === undefined || !Number.isNaN(Date.parse(instant)))) return;
  throw new ValidationError('The cursor is not one of this list in this order.');
}

/** The text to be matched literally inside a LIKE pattern. */
export function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
