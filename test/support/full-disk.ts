/** Fills the file system at the path given and prints what the store made of it. Run in a mount namespace of its own. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { LIMITS } from '../../server/config.ts';
import { Refusal } from '../../server/domain/errors.ts';

const directory = join(process.argv[2] ?? '', 'packages');
await using store = await openDiskPackageStore(directory, LIMITS);

const refused = await store.receive(source(2_000_000), 2_000_000).catch((error: unknown) => error);
const left = await readdir(join(directory, 'incoming'));
await using received = await store.receive(source(500_000), 500_000);
await received.keep();
process.stdout.write(
  JSON.stringify({
    refused: refused instanceof Refusal ? `${refused.code} ${refused.message}` : String(refused),
    left,
    fits: received.size,
  }),
);

function source(size: number): Readable {
  return Readable.from(Array.from({ length: size / 10_000 }, () => Buffer.alloc(10_000, 1)));
}
