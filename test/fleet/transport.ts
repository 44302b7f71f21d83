/** What a simulated device needs of a protocol: it decides everything else itself, and knows no protocol. */

export type PackageType = 'FIRMWARE' | 'SOFTWARE';

/** What the keys of a type begin with. */
export const PREFIX = { FIRMWARE: 'fw', SOFTWARE: 'sw' } as const satisfies Record<PackageType, string>;

export type Attributes = Readonly<Record<string, unknown>>;

/** News of the shared attributes. */
export type AttributesNews =
  | { readonly kind: 'changed'; readonly values: Attributes }
  | { readonly kind: 'deleted'; readonly keys: readonly string[] }
  | { readonly kind: 'timeout' };

export interface ChunkRequest {
  readonly type: PackageType;
  readonly title: string;
  readonly version: string;
  /** Bytes in a chunk. */
  readonly size: number;
  readonly index: number;
}

/**
 * One device's way to the server. Every call may be made while others are under way, rejects with the signal's reason
 * once it is aborted, with Unavailable where trying again may help, and with Refused where it cannot.
 */
export interface DeviceTransport extends AsyncDisposable {
  /** Called before each try: does nothing while there is a connection, and makes one connection for several callers. */
  connect(signal: AbortSignal): Promise<void>;
  /** Resolves when the server has acknowledged the telemetry: only then it counts. */
  postTelemetry(telemetry: unknown, signal: AbortSignal): Promise<void>;
  /** The shared attributes among `keys` that are set. */
  getAttributes(keys: readonly string[], signal: AbortSignal): Promise<Attributes>;
  /** The next news. A transport that is pushed to keeps, merged into one, what came while nobody waited. */
  awaitAttributes(timeoutMs: number, signal: AbortSignal): Promise<AttributesNews>;
  /** Empty past the end of the package. */
  fetchChunk(request: ChunkRequest, signal: AbortSignal): Promise<Uint8Array>;
}

/** The server was not reached, did not answer in time, or asks to come again. */
export class Unavailable extends Error {
  /** The server's own wish, if it has one. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server understood and said no. */
export class Refused extends Error {
  /** The protocol's word for it, such as `401`. */
  readonly code: string;
  readonly isCredential: boolean;

  constructor(message: string, code: string, isCredential = false) {
    super(message);
    this.code = code;
    this.isCredential = isCredential;
  }
}
