/** What is written of devices: their reports, and with them what is unwritten of their slots, for many devices in one transaction. */
import type { PackageType } from '../../prisma/client/enums.ts';
import { begin } from '../domain/passage.ts';
import type { Transaction } from '../domain/query.ts';
import { reconcile } from '../domain/reconcile.ts';
import { applyStep } from '../domain/report.ts';
import type { ReportStep } from '../domain/report.ts';
import { lockSlots } from '../domain/slot.ts';
import type { SlotKey } from '../domain/slot.ts';
import { writeChanges } from '../domain/update.ts';
import type { Reports } from './telemetry.ts';
import type { Unwritten } from './unwritten.ts';

/** One message of one device. Without reports it only takes along what is unwritten. */
export interface DeviceReport {
  readonly deviceId: string;
  readonly reports: Reports;
}

/**
 * Commits the messages of a batch, those of one device in their order. No other batch may hold the same device meanwhile.
 * @returns for each message whether its device still is
 */
export async function commitReports(
  transaction: Transaction,
  unwritten: Unwritten,
  batch: readonly DeviceReport[],
  now: Date,
): Promise<boolean[]> {
  const keys = new Map<string, SlotKey>();
  const steps = new Map<string, ReportStep[]>();
  for (const { deviceId, reports } of batch) {
    for (const type of unwritten.types(deviceId)) keys.set(keyOf(deviceId, type), { deviceId, type });
    for (const [type, its] of reports) {
      const key = keyOf(deviceId, type);
      keys.set(key, { deviceId, type });
      steps.set(key, [...(steps.get(key) ?? []), ...its]);
    }
  }
  if (keys.size === 0) return batch.map(() => true);

  const settles: ((isCommitted: boolean) => void)[] = [];
  let isCommitted = false;
  try {
    const living = await transaction(async (query) => {
      const situations = await lockSlots(query, [...keys.values()]);
      const changes = situations.map(({ slot, effective }) => {
        const { passage, settle } = unwritten.apply(reconcile(begin(slot), effective, now));
        settles.push(settle);
        const its = steps.get(keyOf(slot.deviceId, slot.type)) ?? [];
        return { before: slot, passage: its.reduce((so, step) => applyStep(so, effective, step, now), passage) };
      });
      await writeChanges(query, changes, now);
      return new Set(situations.map(({ slot }) => slot.deviceId));
    });
    isCommitted = true;
    const asked = new Set([...keys.values()].map(({ deviceId }) => deviceId));
    for (const deviceId of asked) if (!living.has(deviceId)) unwritten.forget(deviceId);
    return batch.map(({ deviceId }) => living.has(deviceId) || !asked.has(deviceId));
  } finally {
    for (const settle of settles) settle(isCommitted);
  }
}

function keyOf(deviceId: string, type: PackageType): string {
  return `${deviceId} ${type}`;
}
