/**
 * The bytes of packages: received, kept, swept. Packages with the same bytes share them, so bytes may go only when no living
 * package refers to them. Whoever keeps bytes for a package, or looks whether they may go, first takes the lock of their
 * SHA-256 and holds it until commit: then a sweep sees every package that was promised the bytes.
 */
import type { Readable } from 'node:stream';
import { ChecksumMismatchError, ValidationError } from './errors.ts';
import type { PackageDraft } from './package-draft.ts';
import type { PackageStore, ReceivedBytes } from './ports.ts';
import type { Query, Transaction } from './query.ts';

/** First key of the advisory locks of bytes. The second is the start of the SHA-256; two that share it wait for each other, no more. */
const BYTES_LOCK = 0x0a10b7;

/** Bytes that are compared with the database in one statement. */
const SWEEP_BATCH = 1_000;

/**
 * Takes in a file before the transaction that makes a package of it. Dispose of the result: what was not kept is discarded.
 * @throws TooLargeError, UploadInterruptedError, UnavailableError, ValidationError where the file is empty, ChecksumMismatchError
 */
export async function receivePackageBytes(
  store: Pick<PackageStore, 'receive'>,
  draft: PackageDraft,
  source: Readable,
  bytesMax: number,
): Promise<ReceivedBytes> {
  const received = await store.receive(source, bytesMax);
  const refusal = refusalOf(draft, received);
  if (refusal === null) return received;
  await received[Symbol.asyncDispose]();
  throw refusal;
}

function refusalOf({ checksum }: PackageDraft, { size, sha256 }: ReceivedBytes): Error | null {
  if (size === 0) return new ValidationError('The file is empty.');
  if (checksum !== null && checksum !== sha256) {
    return new ChecksumMismatchError(`The SHA256 of the ${size} bytes that arrived is ${sha256}, not ${checksum}.`);
  }
  return null;
}

export async function lockBytes(query: Query, sha256: string): Promise<void> {
  const key = Buffer.from(sha256, 'hex').readInt32BE();
  await query('SELECT pg_advisory_xact_lock($1::int, $2::int)::text', [BYTES_LOCK, key]);
}

/** Removes bytes that no living package refers to: after a deletion's commit, or after a creation that was rolled back. */
export async function sweepBytes(
  transaction: Transaction,
  store: Pick<PackageStore, 'remove'>,
  sha256: string,
): Promise<boolean> {
  return transaction(async (query) => {
    await lockBytes(query, sha256);
    const [orphan] = await orphans(query, [sha256]);
    if (orphan === undefined) return false;
    await store.remove(sha256);
    return true;
  });
}

/**
 * Removes all bytes that no living package refers to, which a process left that died between keeping and committing, or between
 * committing a deletion and removing. Answers how many. A database that never held a package decides nothing: it is likelier
 * to be the wrong one for this store.
 */
export async function sweepPackageBytes(
  transaction: Transaction,
  store: Pick<PackageStore, 'list' | 'remove'>,
): Promise<number> {
  const isKnown = await transaction((query) => query('SELECT 1 AS found FROM ota_package LIMIT 1', []));
  if (isKnown.length === 0) return 0;
  let removed = 0;
  for await (const batch of batches(store.list())) {
    for (const sha256 of await transaction((query) => orphans(query, batch))) {
      if (await sweepBytes(transaction, store, sha256)) removed += 1;
    }
  }
  return removed;
}

async function orphans(query: Query, sha256s: readonly string[]): Promise<string[]> {
  const rows = await query<{ sha256: string }>(
    `SELECT stored AS sha256 FROM unnest($1::text[]) AS stored
     WHERE NOT EXISTS (SELECT FROM ota_package WHERE sha256 = decode(stored, 'hex'))`,
    [sha256s],
  );
  return rows.map(({ sha256 }) => sha256);
}

async function* batches(items: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < SWEEP_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
