/**
 * Telling devices, at the tenant's pace: QUEUED becomes INITIATED, and the shared attributes show the package. One transaction
 * claims the pace, the queued slots and writes both, so that neither a crash nor a second node tells anyone twice or too soon.
 */
import type { PackageType } from '../../prisma/client/enums.ts';
import { allowanceOf } from './pacing.ts';
import type { Pace } from './pacing.ts';
import { begin, moveTo, show } from './passage.ts';
import type { Passage } from './passage.ts';
import { shareProfiles } from './profile-lock.ts';
import type { Query } from './query.ts';
import { reconcile } from './reconcile.ts';
import { lockSlots } from './slot.ts';
import type { SlotKey } from './slot.ts';
import { writeChanges } from './update.ts';

/** Tenants with queued updates. */
export async function tenantsToTell(query: Query): Promise<string[]> {
  const rows = await query<{ tenant_id: string }>(
    `SELECT DISTINCT a.tenant_id FROM assignment_count c JOIN assignment a ON a.id = c.assignment_id
     WHERE c.state = 'QUEUED' AND c.count > 0`,
    [],
  );
  return rows.map((row) => row.tenant_id);
}

export interface Telling {
  readonly told: number;
  /** When the next device may be told, ms since 1970. */
  readonly nextAt: number;
}

/**
 * Tells as many of a tenant's queued devices as the pace permits now.
 * @returns undefined where another node is at it
 */
export async function tell(query: Query, tenantId: string, pace: Pace, now: number): Promise<Telling | undefined> {
  const turns = await queuedAssignments(query, tenantId);
  await shareProfiles(
    query,
    turns.flatMap(({ deviceProfileId }) => deviceProfileId ?? []),
  );
  await query('INSERT INTO pacing (tenant_id, next_at) VALUES ($1::uuid, $2) ON CONFLICT DO NOTHING', [
    tenantId,
    new Date(now),
  ]);
  const [row] = await query<{ next_at: number; turn: string | null }>(
    `SELECT extract(epoch FROM next_at)::float8 * 1000 AS next_at, turn FROM pacing
     WHERE tenant_id = $1::uuid FOR UPDATE SKIP LOCKED`,
    [tenantId],
  );
  if (row === undefined) return undefined;
  const allowance = allowanceOf(row.next_at, pace, now);
  const { keys, turn } = await claim(query, turns, row.turn, allowance.count);
  const at = new Date(now);
  let told = 0;
  const changes = (await lockSlots(query, keys)).map(({ slot, effective }) => {
    const passage = tellOne(reconcile(begin(slot), effective, at), at);
    if (passage.slot.update?.state === 'INITIATED') told += 1;
    return { before: slot, passage };
  });
  // Also where nobody was told: a clock that was set back must not leave the next instant far ahead.
  const nextAt = told > 0 ? allowance.after(told) : Math.min(row.next_at, allowance.after(0));
  if (nextAt !== row.next_at || turn !== row.turn) {
    await query(
      'UPDATE pacing SET next_at = to_timestamp($2::float8 / 1000), turn = $3::uuid WHERE tenant_id = $1::uuid',
      [tenantId, nextAt, turn],
    );
  }
  await writeChanges(query, changes, at);
  return { told, nextAt };
}

function tellOne(passage: Passage, now: Date): Passage {
  const { update } = passage.slot;
  if (update?.state !== 'QUEUED') return passage;
  return show(moveTo(passage, { state: 'INITIATED', result: null }, now), update.packageId, true);
}

interface Turn {
  readonly id: string;
  readonly type: PackageType;
  /** Null for an assignment of a single device. */
  readonly deviceProfileId: string | null;
}

/** Assignments with something queued that can have a turn now; single devices first, then profiles by id. */
async function queuedAssignments(query: Query, tenantId: string): Promise<Turn[]> {
  return query<Turn>(
    `SELECT a.id, a.type::text, a.device_profile_id AS "deviceProfileId"
     FROM assignment_count c JOIN assignment a ON a.id = c.assignment_id
     WHERE c.state = 'QUEUED' AND c.count > 0 AND a.tenant_id = $1::uuid
     ORDER BY a.device_profile_id IS NOT NULL, a.id LIMIT ${TURNS_MAX}`,
    [tenantId],
  );
}

/** Assignments looked at in one transaction. */
const TURNS_MAX = 1_000;

/**
 * Locks up to `count` queued slots. Single devices do not wait behind a profile of a million; profiles share what is left, in
 * turns that begin after the one that had the last.
 */
async function claim(
  query: Query,
  turns: readonly Turn[],
  lastTurn: string | null,
  count: number,
): Promise<{ keys: SlotKey[]; turn: string | null }> {
  if (count === 0) return { keys: [], turn: lastTurn };
  const singles = turns.filter((turn) => turn.deviceProfileId === null);
  const profiles = turns.filter((turn) => turn.deviceProfileId !== null);
  const keys = await claimQueued(
    query,
    singles.map(({ id }) => id),
    count,
  );

  const next = profiles.findIndex(({ id }) => lastTurn !== null && id > lastTurn);
  const inTurn = next === -1 ? profiles : [...profiles.slice(next), ...profiles.slice(0, next)];
  let turn = lastTurn;
  for (const [index, { id }] of inTurn.entries()) {
    const left = count - keys.length;
    if (left === 0) break;
    keys.push(...(await claimQueued(query, [id], Math.ceil(left / (inTurn.length - index)))));
    turn = id;
  }
  return { keys, turn };
}

async function claimQueued(query: Query, assignmentIds: readonly string[], count: number): Promise<SlotKey[]> {
  if (assignmentIds.length === 0) return [];
  return query<SlotKey>(
    `SELECT s.device_id AS "deviceId", s.type::text FROM slot s JOIN (
       SELECT device_id, type FROM slot WHERE assignment_id = ANY($1::uuid[]) AND state = 'QUEUED'
       ORDER BY state_at, device_id LIMIT $2
     ) AS oldest USING (device_id, type)
     WHERE s.state = 'QUEUED' ORDER BY s.device_id, s.type FOR NO KEY UPDATE OF s SKIP LOCKED`,
    [assignmentIds, count],
  );
}
