/** The shared attributes by which a device learns of a package: one set for each type, shown together and never in part. */
import type { ChecksumAlgorithm, PackageType } from '../../prisma/client/enums.ts';

/** What the keys of a type begin with. */
export const PREFIX = { FIRMWARE: 'fw', SOFTWARE: 'sw' } as const satisfies Record<PackageType, string>;

export const PACKAGE_TYPES = ['FIRMWARE', 'SOFTWARE'] as const satisfies readonly PackageType[];

export type SharedAttributes = Readonly<Record<string, string | number>>;

export interface ShownPackage {
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  readonly url: string | null;
  /** Bytes. */
  readonly dataSize: number | null;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly checksum: string | null;
}

/** What unassigning deletes. Nobody sets `_ts` and `_state` here, but devices of ThingsBoard may hold them. */
const KEYS = ['title', 'version', 'tag', 'size', 'checksum_algorithm', 'checksum', 'url', 'ts', 'state'];

export function allKeys(type: PackageType): string[] {
  return KEYS.map((key) => `${PREFIX[type]}_${key}`);
}

export function attributesOf(type: PackageType, shown: ShownPackage): SharedAttributes {
  const prefix = PREFIX[type];
  const values: [string, string | number | null][] = [
    ['title', shown.title],
    ['version', shown.version],
    ['tag', shown.tag],
    ['size', shown.dataSize],
    // Without a checksum its algorithm says nothing.
    ['checksum_algorithm', shown.checksum === null ? null : shown.checksumAlgorithm],
    ['checksum', shown.checksum],
    ['url', shown.url],
  ];
  return Object.fromEntries(values.flatMap(([key, value]) => (value === null ? [] : [[`${prefix}_${key}`, value]])));
}

/** The keys that do not apply to what is shown: whoever showed another package before must forget them first. */
export function inapplicableKeys(type: PackageType, values: SharedAttributes): string[] {
  const prefix = PREFIX[type];
  return ['size', 'checksum_algorithm', 'checksum', 'url', 'tag']
    .map((key) => `${prefix}_${key}`)
    .filter((key) => !Object.hasOwn(values, key));
}
