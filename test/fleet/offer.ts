/** A package as the shared attributes announce it. */
import { PREFIX } from './transport.ts';
import type { Attributes, PackageType } from './transport.ts';

/** What a device runs; nulls in one that nobody ever told, as in the sample client at its first start. */
export interface Running {
  readonly title: string | null;
  readonly version: string | null;
}

export interface Offer {
  readonly type: PackageType;
  readonly title: string;
  readonly version: string;
  /** Bytes. */
  readonly size: number | null;
  readonly checksumAlgorithm: string | null;
  /** Lower-case hex. */
  readonly checksum: string | null;
  readonly url: string | null;
}

export function attributeKeys(type: PackageType): string[] {
  const prefix = PREFIX[type];
  return ['title', 'version', 'tag', 'size', 'checksum_algorithm', 'checksum', 'url'].map((key) => `${prefix}_${key}`);
}

/** @returns null unless both title and version are set */
export function offerOf(type: PackageType, attributes: Attributes): Offer | null {
  const prefix = PREFIX[type];
  const text = (key: string): string | null => {
    const value = attributes[`${prefix}_${key}`];
    return typeof value === 'string' ? value : null;
  };
  const title = text('title');
  const version = text('version');
  if (title === null || version === null) return null;
  const size = attributes[`${prefix}_size`];
  return {
    type,
    title,
    version,
    size: typeof size === 'number' ? size : null,
    checksumAlgorithm: text('checksum_algorithm'),
    checksum: text('checksum'),
    url: text('url'),
  };
}

/** Versions are text: 1.10 is not 1.1. */
export function isSame(a: Running | null, b: Running | null): boolean {
  return a?.title === b?.title && a?.version === b?.version;
}
