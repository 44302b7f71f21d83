/** Interfaces that have two implementations. */
import type { Readable } from 'node:stream';

/** Time, so that a test can hold it. */
export interface Clock {
  /** Milliseconds since 1970, corrected to the database's clock. */
  now(): number;
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
