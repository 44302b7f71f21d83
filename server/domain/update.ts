/**
 * Writes passages: every change of an update goes through here. State, history and counters change in one transaction, in the
 * lock order of the whole house: the slots are locked already, then come the update rows (reached only through their slot), then
 * the log lock as a statement of its own, then events and counters, then the commit.
 */
import { AssignmentTally, FleetTally } from './counters.ts';
import type { AssignmentPlace } from './counters.ts';
import { LOG_CHANNEL, appendEntityChanges, lockLog } from './log.ts';
import type { EntityChange } from './log.ts';
import type { Passage } from './passage.ts';
import type { Query } from './query.ts';
import type { Slot, Update } from './slot.ts';

/** One slot's change: `before` is null for a new device; a deleted device's slot goes with it. */
export interface Change {
  readonly before: Slot | null;
  readonly passage: Passage;
  readonly isDeleted?: boolean;
}

/**
 * Writes what the changes come to, and `others` under the same lock. The slots of `changes` must be locked (or new).
 * Writes nothing where nothing differs.
 */
export async function writeChanges(
  query: Query,
  changes: readonly Change[],
  now: Date,
  others: readonly EntityChange[] = [],
): Promise<void> {
  const altered = changes.filter(isAltered);
  const progress = await writeUpdates(query, altered, now);
  await writeSlots(query, altered);

  const events = altered.flatMap(({ passage }) => passage.events.map((event) => ({ slot: passage.slot, ...event })));
  const fleet = new FleetTally();
  for (const { before, passage, isDeleted } of altered) {
    if (before !== null) fleet.add(before, -1);
    if (isDeleted !== true) fleet.add(passage.slot, 1);
  }
  const entities = [...others, ...altered.filter(isWithdrawnSilently).map(({ passage }) => changeOf(passage.slot))];
  if (events.length + entities.length === 0 && fleet.isEmpty && progress.isEmpty) return;

  await lockLog(query);
  if (events.length > 0) await appendEvents(query, events, now);
  await fleet.write(query);
  await progress.write(query);
  await appendEntityChanges(query, entities);
}

function isAltered({ before, passage, isDeleted }: Change): boolean {
  return before !== passage.slot || passage.events.length > 0 || isDeleted === true;
}

/** The attributes of a device changed without an event of an update: whoever holds its connection must look. */
function isWithdrawnSilently({ before, passage, isDeleted }: Change): boolean {
  return before !== null && isDeleted !== true && passage.slot.offer !== before.offer && passage.events.length === 0;
}

function changeOf(slot: Slot): EntityChange {
  return { tenantId: slot.tenantId, type: 'DEVICE', entityId: slot.deviceId };
}

/** The last standing of every update that a change touches, told apart by whether the database has it yet. */
function touched({ before, passage }: Change): { known: Update[]; fresh: Update[] } {
  const latest = new Map<string, Update>();
  for (const { update } of passage.events) latest.set(update.id, update);
  const { update } = passage.slot;
  // What changed without an event: the device's clock, deafness, the assignment that it belongs to.
  if (update !== null && update !== before?.update) latest.set(update.id, update);
  const known: Update[] = [];
  const fresh: Update[] = [];
  for (const one of latest.values()) (one.id === before?.update?.id ? known : fresh).push(one);
  return { known, fresh };
}

/** @returns what the counters of assignments gain and lose by it */
async function writeUpdates(query: Query, changes: readonly Change[], now: Date): Promise<AssignmentTally> {
  const known: object[] = [];
  const fresh: object[] = [];
  const replaced: object[] = [];
  const tally = new AssignmentTally();
  for (const change of changes) {
    const { slot } = change.passage;
    const former = change.before?.update ?? null;
    const rows = touched(change);
    for (const update of rows.known) {
      known.push(updateRow(slot, update));
      if (former !== null) tally.add(former, -1);
      tally.add(update, 1);
      if (former?.assignmentId !== update.assignmentId) replaced.push(placeOf(slot, update));
    }
    const counted = new Map(rows.fresh.map((update) => [update.assignmentId, update]));
    for (const update of rows.fresh) {
      const isCounted = counted.get(update.assignmentId) === update;
      fresh.push({ ...updateRow(slot, update), counted: isCounted });
      if (isCounted) tally.add(update, 1);
      if (isCounted && former !== null) replaced.push(placeOf(slot, update));
    }
  }
  // What is open ends before the next one opens: at most one is open in a slot, at every statement.
  if (known.length > 0) await query(UPDATE_UPDATES, [JSON.stringify(known), now]);
  if (replaced.length > 0) {
    for (const gone of await query<AssignmentPlace>(UNCOUNT_UPDATES, [JSON.stringify(replaced)])) tally.add(gone, -1);
  }
  if (fresh.length > 0) await query(INSERT_UPDATES, [JSON.stringify(fresh), now]);
  return tally;
}

/** Where an update becomes the one that counts: an older one of the device under the same assignment no longer does. */
function placeOf(slot: Slot, update: Update): object {
  return { deviceId: slot.deviceId, type: slot.type, assignmentId: update.assignmentId, id: update.id };
}

function updateRow(slot: Slot, { tookOver, title: _title, version: _version, ...update }: Update): object {
  return {
    ...update,
    tenantId: slot.tenantId,
    deviceId: slot.deviceId,
    type: slot.type,
    tookOverPackageId: tookOver?.packageId ?? null,
  };
}

async function writeSlots(query: Query, changes: readonly Change[]): Promise<void> {
  const written = changes.filter(({ isDeleted }) => isDeleted !== true);
  const fresh = written.filter(({ before }) => before === null).map(({ passage }) => slotRow(passage.slot));
  const known = written.filter(({ before }) => before !== null).map(({ passage }) => slotRow(passage.slot));
  const deleted = changes.filter(({ isDeleted }) => isDeleted === true).map(({ passage }) => passage.slot);
  if (fresh.length > 0) await query(INSERT_SLOTS, [JSON.stringify(fresh)]);
  if (known.length > 0) await query(UPDATE_SLOTS, [JSON.stringify(known)]);
  if (deleted.length > 0) {
    await query(
      'DELETE FROM slot USING unnest($1::uuid[], $2::package_type[]) AS k(device_id, type) WHERE slot.device_id = k.device_id AND slot.type = k.type',
      [deleted.map((slot) => slot.deviceId), deleted.map((slot) => slot.type)],
    );
  }
}

function slotRow({ current, update, ...slot }: Slot): object {
  return {
    ...slot,
    currentTitle: current.title,
    currentVersion: current.version,
    currentReportedAt: current.reportedAt,
    updateId: update?.id ?? null,
    state: update?.state ?? 'NONE',
    assignmentId: update?.assignmentId ?? null,
  };
}

async function appendEvents(
  query: Query,
  events: readonly (Passage['events'][number] & { slot: Slot })[],
  now: Date,
): Promise<void> {
  const rows = events.map(({ slot, update, at }) => ({
    tenantId: slot.tenantId,
    customerId: slot.customerId,
    deviceProfileId: slot.deviceProfileId,
    deviceId: slot.deviceId,
    type: slot.type,
    updateId: update.id,
    packageId: update.packageId,
    state: update.state,
    result: update.result,
    error: update.error,
    revision: update.revision,
    bytesServed: update.bytesServed,
    bytesTotal: update.bytesTotal,
    at: at ?? now,
  }));
  await query(APPEND_EVENTS, [JSON.stringify(rows), now, LOG_CHANNEL]);
}

const UPDATE_UPDATES = `
  UPDATE update AS u SET
    assignment_id = n."assignmentId", state = n.state, result = n.result, error = n.error, revision = n.revision,
    initiated_at = n."initiatedAt", finished_at = n."finishedAt", updated_at = $2, reported_ts = n."reportedTs",
    bytes_served = n."bytesServed", deaf = n.deaf, resent = n.resent
  FROM json_to_recordset($1::json) AS n(
    id uuid, "assignmentId" uuid, state update_state, result update_result, error text, revision int,
    "initiatedAt" timestamptz, "finishedAt" timestamptz, "reportedTs" bigint, "bytesServed" bigint, deaf boolean, resent boolean)
  WHERE u.id = n.id`;

const UNCOUNT_UPDATES = `
  UPDATE update AS u SET counted = false
  FROM json_to_recordset($1::json) AS n("deviceId" uuid, type package_type, "assignmentId" uuid, id uuid)
  WHERE u.device_id = n."deviceId" AND u.type = n.type AND u.assignment_id = n."assignmentId" AND u.id <> n.id AND u.counted
  RETURNING u.assignment_id AS "assignmentId", u.state::text`;

const INSERT_UPDATES = `
  INSERT INTO update (id, tenant_id, device_id, type, package_id, assignment_id, attempt, state, result, error, revision,
    queued_at, initiated_at, finished_at, updated_at, reported_ts, bytes_served, bytes_total, took_over_package_id, deaf, resent, counted)
  SELECT id, "tenantId", "deviceId", type, "packageId", "assignmentId", attempt, state, result, error, revision,
    "queuedAt", "initiatedAt", "finishedAt", $2, "reportedTs", "bytesServed", "bytesTotal", "tookOverPackageId", deaf, resent, counted
  FROM json_to_recordset($1::json) AS n(
    id uuid, "tenantId" uuid, "deviceId" uuid, type package_type, "packageId" uuid, "assignmentId" uuid, attempt int,
    state update_state, result update_result, error text, revision int, "queuedAt" timestamptz, "initiatedAt" timestamptz,
    "finishedAt" timestamptz, "reportedTs" bigint, "bytesServed" bigint, "bytesTotal" bigint, "tookOverPackageId" uuid,
    deaf boolean, resent boolean, counted boolean)`;

const SLOT_COLUMNS = `"deviceId" uuid, type package_type, "tenantId" uuid, "deviceProfileId" uuid, "customerId" uuid, name text,
    "ownAssignmentId" uuid, "currentTitle" text, "currentVersion" text, "currentReportedAt" timestamptz, "targetPackageId" uuid,
    "updateId" uuid, state update_state, "stateAt" timestamptz, "assignmentId" uuid, "toldPackageId" uuid, offer int,
    "deliveredOffer" int, "deliveredAt" timestamptz`;

const INSERT_SLOTS = `
  INSERT INTO slot (device_id, type, tenant_id, device_profile_id, customer_id, name, own_assignment_id, current_title,
    current_version, current_reported_at, target_package_id, update_id, state, state_at, assignment_id, told_package_id, offer,
    delivered_offer, delivered_at)
  SELECT "deviceId", type, "tenantId", "deviceProfileId", "customerId", name, "ownAssignmentId", "currentTitle",
    "currentVersion", "currentReportedAt", "targetPackageId", "updateId", state, "stateAt", "assignmentId", "toldPackageId", offer,
    "deliveredOffer", "deliveredAt"
  FROM json_to_recordset($1::json) AS n(${SLOT_COLUMNS})`;

const UPDATE_SLOTS = `
  UPDATE slot AS s SET
    device_profile_id = n."deviceProfileId", customer_id = n."customerId", name = n.name, own_assignment_id = n."ownAssignmentId",
    current_title = n."currentTitle", current_version = n."currentVersion", current_reported_at = n."currentReportedAt",
    target_package_id = n."targetPackageId", update_id = n."updateId", state = n.state, state_at = n."stateAt",
    assignment_id = n."assignmentId", told_package_id = n."toldPackageId", offer = n.offer,
    delivered_offer = n."deliveredOffer", delivered_at = n."deliveredAt"
  FROM json_to_recordset($1::json) AS n(${SLOT_COLUMNS})
  WHERE s.device_id = n."deviceId" AND s.type = n.type`;

const APPEND_EVENTS = `
  WITH appended AS (
    INSERT INTO update_event (seq, tenant_id, customer_id, device_profile_id, device_id, type, update_id, package_id, state,
      result, error, revision, bytes_served, bytes_total, at, received_at)
    SELECT nextval('log_seq'), "tenantId", "customerId", "deviceProfileId", "deviceId", type, "updateId", "packageId", state,
      result, error, revision, "bytesServed", "bytesTotal", at, $2
    FROM json_to_recordset($1::json) AS n(
      "tenantId" uuid, "customerId" uuid, "deviceProfileId" uuid, "deviceId" uuid, type package_type, "updateId" uuid,
      "packageId" uuid, state update_state, result update_result, error text, revision int, "bytesServed" bigint,
      "bytesTotal" bigint, at timestamptz)
    RETURNING seq
  )
  SELECT pg_notify($3, max(seq)::text)::text FROM appended`;
