/** In what one device differs from the next: drawn from the seed, and its own for life. */
import type { Running } from './offer.ts';
import { randomOf } from './random.ts';
import type { PackageType } from './transport.ts';

/** How a device wraps what it says. */
export type Wrapping = (values: object) => unknown;

/** Each is a shape that ThingsBoard's telemetry takes; most devices say it plainly. */
const WRAPPINGS = {
  plain: (values) => values,
  array: (values) => [values],
  stamped: (values) => ({ ts: Date.now(), values }),
} as const satisfies Record<string, Wrapping>;

export function wrappingOf(seed: number, index: number): Wrapping {
  return WRAPPINGS[randomOf(seed, index, 'wrapping').pick(['plain', 'plain', 'array', 'stamped'])];
}

/** What a device runs when it leaves the factory. One in eight was never told; the versions differ only as text does. */
export function factoryImage(type: PackageType, seed: number, index: number): Running {
  const random = randomOf(seed, index, type, 'factory');
  if (random.chance(1 / 8)) return { title: null, version: null };
  return { title: 'factory', version: random.pick(['1.1', '1.9', '1.10']) };
}
