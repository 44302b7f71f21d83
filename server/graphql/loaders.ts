/**
 * Reads that many objects of one answer make, gathered into one statement. Nothing is kept beyond it: the answers of a subscription
 * share their loaders for hours.
 */
import DataLoader from 'dataloader';
import type {
  Device as DeviceRow,
  OtaPackage as OtaPackageRow,
  Update as UpdateRow,
} from '../../prisma/client/client.ts';
import type { PackageType } from '../../prisma/client/enums.ts';
import type { LogEvent } from '../domain/ports.ts';
import { readSlots } from '../domain/slot.ts';
import type { Effective } from '../domain/slot.ts';
import { countUpdatesOfDevices, eventsOfUpdates, updatesOfDevices } from '../domain/update-history.ts';
import type { Reach } from './connection.ts';
import type { Services } from './context.ts';

export interface Target extends Effective {
  readonly source: 'DEVICE' | 'DEVICE_PROFILE';
}

export interface DeviceHistory {
  readonly page: DataLoader<string, UpdateRow[]>;
  readonly count: DataLoader<string, number>;
}

export interface Loaders {
  readonly device: DataLoader<string, DeviceRow | null>;
  readonly otaPackage: DataLoader<string, OtaPackageRow | null>;
  readonly update: DataLoader<string, UpdateRow | null>;
  /** In their order; the newest only, where there are very many. */
  readonly eventsOfUpdate: DataLoader<string, readonly LogEvent[]>;
  /** The updates of devices, of one type and one page: by the device. */
  readonly historyOfDevice: (type: PackageType, reach: Reach) => DeviceHistory;
  /** By `deviceId type`. */
  readonly target: DataLoader<string, Target | null>;
}

export function makeLoaders(services: Services): Loaders {
  const { prisma, query, limits } = services;
  const histories = new Map<string, DeviceHistory>();
  return {
    historyOfDevice: (type, reach) => {
      const key = JSON.stringify([type, reach]);
      const history = histories.get(key) ?? makeDeviceHistory(services, type, reach);
      histories.set(key, history);
      return history;
    },
    device: byId((ids) => prisma.device.findMany({ where: { id: { in: ids } } })),
    otaPackage: byId((ids) => prisma.otaPackage.findMany({ where: { id: { in: ids } } })),
    update: byId((ids) => prisma.update.findMany({ where: { id: { in: ids } } })),
    eventsOfUpdate: gathered(async (ids) => {
      const events = await eventsOfUpdates(query, ids, limits.updateEventsShownMax);
      return ids.map((id) => events.get(id) ?? []);
    }),
    target: gathered(async (keys) => {
      const situations = await readSlots(query, keys.map(slotKeyOf));
      const targets = new Map(
        situations.map(({ slot, effective }) => {
          const source = slot.ownAssignmentId === null ? ('DEVICE_PROFILE' as const) : ('DEVICE' as const);
          return [targetKey(slot.deviceId, slot.type), effective && { ...effective, source }];
        }),
      );
      return keys.map((key) => targets.get(key) ?? null);
    }),
  };
}

function makeDeviceHistory({ prisma, query, limits }: Services, type: PackageType, reach: Reach): DeviceHistory {
  return {
    page: gathered(async (deviceIds) => {
      const places = await updatesOfDevices(query, deviceIds, type, reach);
      const rows = await prisma.update.findMany({ where: { id: { in: places.map(({ id }) => id) } } });
      const updates = new Map(rows.map((row) => [row.id, row]));
      const pages = new Map<string, UpdateRow[]>(deviceIds.map((id) => [id, []]));
      for (const { id, deviceId } of places) {
        const row = updates.get(id);
        if (row !== undefined) pages.get(deviceId)?.push(row);
      }
      return deviceIds.map((id) => pages.get(id) ?? []);
    }),
    count: gathered(async (deviceIds) => {
      const counts = await countUpdatesOfDevices(query, deviceIds, type, limits.totalCountMax);
      return deviceIds.map((id) => counts.get(id) ?? 0);
    }),
  };
}

export function targetKey(deviceId: string, type: PackageType): string {
  return `${deviceId} ${type}`;
}

function slotKeyOf(key: string): { deviceId: string; type: PackageType } {
  const [deviceId = '', type] = key.split(' ');
  return { deviceId, type: type as PackageType };
}

function byId<Row extends { id: string }>(read: (ids: string[]) => Promise<Row[]>): DataLoader<string, Row | null> {
  return gathered(async (ids) => {
    const rows = new Map((await read([...ids])).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}

function gathered<Value>(read: (keys: readonly string[]) => Promise<Value[]>): DataLoader<string, Value> {
  return new DataLoader(read, { cache: false });
}
