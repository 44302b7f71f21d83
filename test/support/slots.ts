/** Slots and packages for tests of the pure core. */
import type { Effective, Slot, Update } from '../../server/domain/slot.ts';

export const NOW = new Date('2026-01-02T03:04:05.678Z');
export const LATER = new Date('2026-01-02T03:05:05.678Z');

export function effective(name: string, its: Partial<Effective> = {}): Effective {
  return { assignmentId: `assignment of ${name}`, packageId: name, title: 'fw', version: name, dataSize: 100, ...its };
}

export function slot(its: Partial<Slot> = {}): Slot {
  return {
    deviceId: '00000000-0000-7000-8000-000000000001',
    type: 'FIRMWARE',
    tenantId: 'tenant',
    deviceProfileId: 'profile',
    customerId: null,
    name: 'device',
    ownAssignmentId: null,
    current: { title: null, version: null, reportedAt: null },
    targetPackageId: null,
    toldPackageId: null,
    offer: 0,
    deliveredOffer: 0,
    deliveredAt: null,
    update: null,
    stateAt: NOW,
    ...its,
  };
}

export function update(name: string, its: Partial<Update> = {}): Update {
  return {
    id: `update to ${name}`,
    packageId: name,
    title: 'fw',
    version: name,
    assignmentId: `assignment of ${name}`,
    attempt: 1,
    state: 'QUEUED',
    result: null,
    error: null,
    revision: 1,
    queuedAt: NOW,
    initiatedAt: null,
    finishedAt: null,
    reportedTs: null,
    bytesServed: 0,
    bytesTotal: 100,
    tookOver: null,
    deaf: false,
    resent: false,
    ...its,
  };
}

/** A slot that has been told `name` and is in flight in `state`. */
export function inFlight(name: string, state: Update['state'] = 'INITIATED', its: Partial<Update> = {}): Slot {
  return slot({
    targetPackageId: name,
    toldPackageId: name,
    offer: 1,
    update: update(name, { state, initiatedAt: NOW, revision: 2, ...its }),
  });
}
