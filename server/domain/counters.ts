/**
 * Counters are rows that change in the transaction of what they count, and only under the log lock: devices by state of their
 * latest update, and an assignment's devices by state of their latest attempt.
 */
import type { PackageType, UpdateState } from '../../prisma/client/enums.ts';
import type { Query } from './query.ts';
import { stateOf } from './slot.ts';
import type { Slot, Update } from './slot.ts';

/** The customer of devices without one: a key has no nulls. */
export const NO_CUSTOMER = '00000000-0000-0000-0000-000000000000';

interface FleetPlace {
  readonly tenantId: string;
  readonly customerId: string;
  readonly deviceProfileId: string;
  readonly type: PackageType;
  readonly state: UpdateState;
}

/** A device counts once for each package type, by the state of its latest update. */
export class FleetTally {
  readonly #places = new Map<string, FleetPlace & { delta: number }>();

  add(slot: Slot, delta: number): void {
    const { tenantId, deviceProfileId, type } = slot;
    const customerId = slot.customerId ?? NO_CUSTOMER;
    const state = stateOf(slot);
    const key = `${customerId} ${deviceProfileId} ${type} ${state}`;
    const place = this.#places.get(key) ?? { tenantId, customerId, deviceProfileId, type, state, delta: 0 };
    place.delta += delta;
    this.#places.set(key, place);
  }

  /** Call it under the log lock. */
  async write(query: Query): Promise<void> {
    const deltas = [...this.#places.values()].filter(({ delta }) => delta !== 0);
    if (deltas.length > 0) await query(MERGE_FLEET_COUNTS, [JSON.stringify(deltas)]);
  }

  get isEmpty(): boolean {
    return [...this.#places.values()].every(({ delta }) => delta === 0);
  }
}

export type AssignmentPlace = Pick<Update, 'assignmentId' | 'state'>;

/** A device counts once in each assignment, by its latest update under it. */
export class AssignmentTally {
  readonly #places = new Map<string, AssignmentPlace & { delta: number }>();

  add({ assignmentId, state }: AssignmentPlace, delta: number): void {
    const key = `${assignmentId} ${state}`;
    const place = this.#places.get(key) ?? { assignmentId, state, delta: 0 };
    place.delta += delta;
    this.#places.set(key, place);
  }

  /** Call it under the log lock. */
  async write(query: Query): Promise<void> {
    const deltas = [...this.#places.values()].filter(({ delta }) => delta !== 0);
    if (deltas.length > 0) await query(MERGE_ASSIGNMENT_COUNTS, [JSON.stringify(deltas)]);
  }

  get isEmpty(): boolean {
    return [...this.#places.values()].every(({ delta }) => delta === 0);
  }
}

// MERGE and not ON CONFLICT: a row to insert is checked against "count >= 0" before the conflict is seen. Nobody else writes
// counters meanwhile, since the log lock is held.
const MERGE_FLEET_COUNTS = `
  MERGE INTO fleet_count AS c
  USING json_to_recordset($1::json) AS d(
    "tenantId" uuid, "customerId" uuid, "deviceProfileId" uuid, type package_type, state update_state, delta int)
  ON c.tenant_id = d."tenantId" AND c.customer_id = d."customerId" AND c.device_profile_id = d."deviceProfileId"
    AND c.type = d.type AND c.state = d.state
  WHEN MATCHED THEN UPDATE SET count = c.count + d.delta
  WHEN NOT MATCHED THEN INSERT (tenant_id, customer_id, device_profile_id, type, state, count)
    VALUES (d."tenantId", d."customerId", d."deviceProfileId", d.type, d.state, d.delta)`;

const MERGE_ASSIGNMENT_COUNTS = `
  MERGE INTO assignment_count AS c
  USING json_to_recordset($1::json) AS d("assignmentId" uuid, state update_state, delta int)
  ON c.assignment_id = d."assignmentId" AND c.state = d.state
  WHEN MATCHED THEN UPDATE SET count = c.count + d.delta
  WHEN NOT MATCHED THEN INSERT (assignment_id, state, count) VALUES (d."assignmentId", d.state, d.delta)`;
