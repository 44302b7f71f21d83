/** A device's end of a wire, as bare as the protocol allows: texts go out as they are, and every refusal is told by its code. */
import type { PackageType } from '../../prisma/client/enums.ts';
import type { ErrorCode } from '../../server/domain/errors.ts';

export type Attributes = Readonly<Record<string, unknown>>;

export interface Sections {
  readonly client?: Attributes;
  readonly shared?: Attributes;
}

/** What a listening device hears: values, or the keys that are gone. */
export interface Heard {
  readonly values: Attributes;
  readonly deleted: readonly string[];
}

export interface ChunkOf {
  readonly type?: PackageType;
  readonly title?: string;
  readonly version?: string;
  /** Bytes; 0 for the whole package. */
  readonly size: number | string;
  readonly index?: number | string;
}

export interface DeviceWire {
  postTelemetry(text: string): Promise<void>;
  postAttributes(text: string): Promise<void>;
  attributes(keys?: { client?: readonly string[]; shared?: readonly string[] }): Promise<Sections>;
  /** The next news; null where none came in this time. */
  listen(timeoutMs: number): Promise<Heard | null>;
  chunk(chunk: ChunkOf): Promise<Buffer>;
}

/** A transport under test. */
export interface Wires {
  readonly name: string;
  connect(url: string, accessToken: string): DeviceWire;
}

export class RefusedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

/** To be compared with what a call rejects with. */
export function refused(code: ErrorCode): RefusedError {
  return new RefusedError(code);
}
