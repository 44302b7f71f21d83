/** The migration runner on real, empty databases. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { queryOn } from '../../server/adapters/database.ts';
import { applyMigrations } from '../../server/adapters/migrations.ts';
import { emptyDatabase } from '../support/database.ts';
import { someoneWaits } from '../support/uncommitted.ts';

const FOLDER = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));
const WAIT_MS = 10_000;
const log = pino({ level: 'silent' });

let database: Awaited<ReturnType<typeof emptyDatabase>>;

beforeEach(async () => {
  database = await emptyDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

test('four processes at once apply each migration once and record it as Prisma does', async () => {
  const clients = await Promise.all([1, 2, 3, 4].map(() => database.connect()));
  await Promise.all(clients.map((client) => applyMigrations(client, WAIT_MS, log)));
  const { rows } = await clients[0]!.query('SELECT * FROM _prisma_migrations ORDER BY migration_name');
  const names = (await readdir(FOLDER)).filter((name) => /^\d/.test(name)).toSorted();
  const checksums = await Promise.all(names.map((name) => sha256(`${FOLDER}/${name}/migration.sql`)));
  expect(rows).toEqual(
    names.map((name, index) => ({
      id: expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
      checksum: checksums[index],
      migration_name: name,
      started_at: expect.any(Date),
      finished_at: expect.any(Date),
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    })),
  );
  await Promise.all(clients.map((client) => client.end()));
});

test('a migration that fails is undone, told in one line, and can be applied when its reason is gone', async () => {
  const client = await database.connect();
  await client.query('CREATE TABLE tenant ()');
  const failure = await applyMigrations(client, WAIT_MS, log).catch(String);
  expect(failure).toMatch(/Migration \d+_init failed and was undone: relation "tenant" already exists/);
  expect(await tables(client)).toEqual(['_prisma_migrations', 'tenant']);
  await client.query('DROP TABLE tenant');
  await applyMigrations(client, WAIT_MS, log);
  expect(await tables(client)).toContain('update_event');
  await client.end();
});

test('a process that dies in the middle of a migration leaves nothing of it, and the next one applies it', async () => {
  const [dying, other] = await Promise.all([database.connect(), database.connect()]);
  const [backend] = (await dying.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  // The migration comes to a halt at a name that an open transaction has taken.
  await other.query('BEGIN; CREATE TABLE slot ()');
  const failure = applyMigrations(dying, WAIT_MS, log).catch(String);
  await someoneWaits(queryOn(other));
  await other.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
  expect(await failure).toMatch(/failed and was undone/);
  await other.query('ROLLBACK');
  expect(await tables(other)).toEqual(['_prisma_migrations']);
  await applyMigrations(other, WAIT_MS, log);
  expect(await tables(other)).toContain('slot');
  await other.end();
});

test('whoever waits too long for a process that migrates is told so', async () => {
  const [migrating, waiting] = await Promise.all([database.connect(), database.connect()]);
  await migrating.query('SELECT pg_advisory_lock(72707369)');
  await expect(applyMigrations(waiting, 50, log)).rejects.toThrow(/Another process has been migrating .* 50 ms/);
  await Promise.all([migrating.end(), waiting.end()]);
});

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

async function tables(client: { query(text: string): Promise<{ rows: { name: string }[] }> }): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  );
  return rows.map(({ name }) => name);
}
