import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMITTED = 'client/live/graphql-env.d.ts';

/** Mended by `npx gql.tada generate-output -c client/tsconfig.json`. */
test('the types that the pages are written against are those of the printed schema', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'aloft-schema-'));
  try {
    const output = join(directory, 'graphql-env.d.ts');
    const tool = join(ROOT, 'node_modules/.bin/gql.tada');
    await promisify(execFile)(tool, ['generate-output', '-c', 'client/tsconfig.json', '-o', output], { cwd: ROOT });
    expect(await readFile(join(ROOT, COMMITTED), 'utf8')).toBe(await readFile(output, 'utf8'));
  } finally {
    await rm(directory, { recursive: true });
  }
});
