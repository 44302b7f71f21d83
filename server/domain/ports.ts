/** What the core needs of the outside: interfaces that have two implementations, and the log, which every edge follows. */
import type { Readable } from 'node:stream';
import type { EntityType, PackageType, UpdateResult, UpdateState } from '../../prisma/client/enums.ts';

/** Time, so that a test can hold it. */
export interface Clock {
  /** Milliseconds since 1970, corrected to the database's clock. */
  now(): number;
}

/** Bytes of a file, by their place in it. */
export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** The bytes of a package, as an edge hands them out. */
export interface PackageFile {
  readonly fileName: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** One buffer, for small ranges. */
  read(range: ByteRange): Promise<Buffer>;
  /** For large ones. Whoever leaves it unread destroys it. */
  open(range: ByteRange): Promise<Readable>;
  /** Called with what has gone out. */
  served(range: ByteRange): void;
}

/** Where package bytes lie, addressed by their SHA-256: files below DATA_DIR, or an S3 bucket. */
export interface PackageStore {
  /**
   * Takes in bytes under a temporary name, hashing as they pass.
   * @param bytesMax refuses with TooLargeError at the first byte beyond it
   */
  receive(source: Readable, bytesMax: number): Promise<ReceivedBytes>;
  /** A stream of `length` bytes from `start`; errors with ENOENT where the bytes are gone. */
  open(sha256: string, range?: { start: number; length: number }): Promise<Readable>;
  /** The same for a small range: one buffer, shorter or empty past the end. */
  read(sha256: string, start: number, length: number): Promise<Buffer>;
  remove(sha256: string): Promise<void>;
  /** Every SHA-256 that is stored, for the sweep. */
  list(): AsyncIterable<string>;
}

/** Bytes under a temporary name: either kept under their SHA-256 or discarded. Disposing discards what was not kept. */
export interface ReceivedBytes extends AsyncDisposable {
  /** Lower-case hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Durable on return: file and directory are synced. The same bytes kept twice are stored once. */
  keep(): Promise<void>;
}

/** An update right after one state change, with its place in the log. */
export interface LogEvent {
  readonly seq: number;
  readonly tenantId: string;
  readonly customerId: string | null;
  readonly deviceProfileId: string;
  readonly deviceId: string;
  readonly type: PackageType;
  readonly updateId: string;
  readonly packageId: string;
  readonly state: UpdateState;
  readonly result: UpdateResult | null;
  readonly error: string | null;
  readonly revision: number;
  /** Bytes. */
  readonly bytesServed: number;
  readonly bytesTotal: number | null;
  /** The device's clock, where it said one; else when the server received it. */
  readonly at: Date;
  readonly receivedAt: Date;
}

/** Something other than an update changed; caches of it are void. */
export interface LogChange {
  readonly seq: number;
  readonly tenantId: string;
  readonly type: EntityType;
  readonly entityId: string;
}

export interface LogBatch {
  readonly events: readonly LogEvent[];
  readonly changes: readonly LogChange[];
}

/** The log as one process follows it. */
export interface EventLog {
  /** The identity of the log: a cursor of another one is expired. */
  readonly id: string;
  /** The newest sequence number that this process has seen. */
  head(): number;
  /** Events up to this number are no longer kept. */
  floor(): number;
  /**
   * Events after `after` in order, at most `limit`, from memory or the database.
   * @returns with them the number up to which nothing is missing: the next `after`
   */
  read(after: number, limit: number): Promise<{ readonly events: readonly LogEvent[]; readonly upTo: number }>;
  /** Resolves when `head()` is beyond `after`, or when the signal aborts. */
  changed(after: number, signal: AbortSignal): Promise<void>;
  /** Every batch that is committed from now on, in order, once. A listener neither throws nor waits. @returns how to stop */
  listen(listener: (batch: LogBatch) => void): () => void;
}

/** Passwords are kept as hashes that are slow to make. */
export interface Passwords {
  hash(password: string): Promise<string>;
  /** @param hash null where there is no account: it takes as long, and is never right */
  verify(hash: string | null, password: string): Promise<boolean>;
}
