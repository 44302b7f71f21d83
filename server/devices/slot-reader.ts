/** Reads the slots of a device for answers, not for decisions: together with those of other devices that ask at this moment. */
import type { Query } from '../domain/query.ts';
import { readSlots } from '../domain/slot.ts';
import type { Situation } from '../domain/slot.ts';
import { readTogether } from './read-together.ts';
import { PACKAGE_TYPES } from './shared-attributes.ts';

export class SlotReader {
  readonly #read: (deviceId: string) => Promise<Situation[] | undefined>;

  constructor(query: Query, limits: { readTogetherMax: number }) {
    this.#read = readTogether((deviceIds) => readSituations(query, deviceIds), limits.readTogetherMax);
  }

  /** By type; empty for a device that is gone. */
  async read(deviceId: string): Promise<readonly Situation[]> {
    return (await this.#read(deviceId)) ?? [];
  }
}

async function readSituations(query: Query, deviceIds: readonly string[]): Promise<Map<string, Situation[]>> {
  const keys = deviceIds.flatMap((deviceId) => PACKAGE_TYPES.map((type) => ({ deviceId, type })));
  const situations = await readSlots(query, keys);
  const byDevice = new Map<string, Situation[]>();
  for (const situation of situations) {
    const { deviceId } = situation.slot;
    byDevice.set(deviceId, [...(byDevice.get(deviceId) ?? []), situation]);
  }
  return byDevice;
}
