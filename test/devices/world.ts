/** Devices with a package of their own, so that tests on one server do not meet. */
import type { PackageInput } from '../../server/domain/package-draft.ts';
import type { DeviceServer, TestDevice, TestPackage } from '../support/device-server.ts';

let titles = 0;

/** One that no other package has. */
export function newTitle(): string {
  titles += 1;
  return `product ${titles}`;
}

export interface Assigned {
  readonly device: TestDevice;
  readonly target: TestPackage;
}

type PackageIts = Partial<PackageInput> & { bytes?: Buffer };

/** A device whose update is queued. */
export async function queued(server: DeviceServer, its: PackageIts = {}, version = '2.0'): Promise<Assigned> {
  const device = await server.device();
  const target = await server.package(version, { title: newTitle(), ...its });
  await server.assign(target, { deviceId: device.id });
  return { device, target };
}

/** A device whose update is initiated. */
export async function told(server: DeviceServer, its: PackageIts = {}, version = '2.0'): Promise<Assigned> {
  const assigned = await queued(server, its, version);
  await server.tell();
  return assigned;
}

/** Another package of the same title becomes the device's. */
export async function reassign(
  server: DeviceServer,
  { device, target }: Assigned,
  version = '3.0',
): Promise<TestPackage> {
  const next = await server.package(version, { title: target.title, type: target.type });
  await server.assign(next, { deviceId: device.id });
  return next;
}
