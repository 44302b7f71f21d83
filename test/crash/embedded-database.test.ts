/**
 * The embedded database through its whole life in one directory: starts, kills, rivals. Real processes, real signals.
 */
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  alive,
  ask,
  connect,
  DatabaseProcess,
  gone,
  killLeftOver,
  postmasterOf,
} from '../support/database-in-process.ts';

/** A directory that everybody may enter, and that goes with the tests. */
let base: string;
let dataDir: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'aloft-crash-'));
  await chmod(base, 0o755);
  dataDir = join(base, 'data');
});
afterAll(async () => {
  await killLeftOver();
  // A PostgreSQL that lives on without its files ends itself within a minute.
  await rm(base, { recursive: true, force: true });
});

function aloftOf(env: Record<string, string> = {}): DatabaseProcess {
  return new DatabaseProcess({ env: { DATA_DIR: dataDir, ...env } });
}

test('it is durable, has checksums, and only its owner reaches it', async () => {
  await using aloft = aloftOf();
  const { host, cluster } = await aloft.told('opened');
  const wanted = {
    data_checksums: 'on',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '',
    max_parallel_workers_per_gather: '0',
    unix_socket_permissions: '0700',
  };
  const names = Object.keys(wanted);
  const rows = await ask<{ name: string; value: string }>(
    host,
    `SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name`,
    [names],
  );
  expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual(wanted);
  expect(await mode(dataDir)).toBe(0o711);
  expect(await mode(cluster)).toBe(0o700);
  expect((await stat(cluster)).uid).not.toBe(0);
});

test('SIGTERM ends PostgreSQL too, and the second start is fast', async () => {
  const aloft = aloftOf();
  const { ms, cluster } = await aloft.told('opened');
  const postmaster = await postmasterOf(cluster);
  expect(ms).toBeLessThan(1_000);
  expect(await aloft.kill('SIGTERM')).toEqual({ code: 0, stderr: '' });
  expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(false);
  await gone(postmaster);
});

test('killed before: the next start adopts the PostgreSQL that lives on, and ends it in the end', async () => {
  const killed = aloftOf();
  const { cluster } = await killed.told('opened');
  const postmaster = await postmasterOf(cluster);
  await killed.kill('SIGKILL');
  expect(await alive(postmaster)).toBe(true);

  const aloft = aloftOf();
  await aloft.told('opened');
  expect(await postmasterOf(cluster)).toBe(postmaster);
  expect((await aloft.kill('SIGTERM')).code).toBe(0);
  await gone(postmaster);
});

test('killed again and again in the middle of commits: nothing acknowledged is lost', async () => {
  const rounds = 10;
  const acknowledged: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const aloft = aloftOf({ WRITE: '1' });
    const { cluster } = await aloft.told('opened');
    const postmaster = await postmasterOf(cluster);
    await aloft.told('written', 1 + Math.floor(Math.random() * 40));
    // Either first, or ours alone: the next start then recovers, or adopts.
    if (round % 3 === 0) process.kill(postmaster, 'SIGKILL');
    await aloft.kill('SIGKILL');
    if (round % 3 === 1) process.kill(postmaster, 'SIGKILL');
    acknowledged.push(...aloft.lines.flatMap(({ written }) => written ?? []));
  }
  await using aloft = aloftOf();
  const { host } = await aloft.told('opened');
  const rows = await ask<{ id: number }>(host, 'SELECT id FROM written');
  const kept = new Set(rows.map(({ id }) => id));
  expect(acknowledged.length).toBeGreaterThanOrEqual(rounds);
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  console.log(`${rounds} SIGKILLs, ${acknowledged.length} commits acknowledged, none lost`);
});

test('backends that outlive a killed postmaster: the next start waits until they have gone', async () => {
  const killed = aloftOf();
  const { host, cluster } = await killed.told('opened');
  const client = await connect(host);
  const [backend] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  // Computing, it looks neither at its client nor for its postmaster.
  const computing = client
    .query('SELECT sum(a * b) FROM generate_series(1, 5000) a, generate_series(1, 5000) b')
    .catch(() => 0);
  await computes(host, backend!.pid);
  const postmaster = await postmasterOf(cluster);
  process.kill(postmaster, 'SIGKILL');
  await killed.kill('SIGKILL');
  expect(await alive(backend!.pid)).toBe(true);

  await using aloft = aloftOf();
  await aloft.told('opened');
  expect(await alive(backend!.pid)).toBe(false);
  expect(await postmasterOf(cluster)).not.toBe(postmaster);
  await computing;
  await client.end().catch(() => undefined);
});

test('a second Aloft on the same directory is refused in one line, and the first goes on', async () => {
  await using first = aloftOf({ WRITE: '1' });
  await first.told('opened');
  const second = aloftOf();
  const { code, stderr } = await second.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^Another Aloft uses .* \(DATA_DIR\); stop it, or set DATA_DIR .*\n$/);
  await first.told('written', first.lines.length);
  expect(first.lines.some(({ failed }) => failed !== undefined)).toBe(false);
});

test('a start while the former Aloft is still ending waits for it', async () => {
  const former = aloftOf();
  await former.told('opened');
  const ending = former.kill('SIGTERM');
  await using aloft = aloftOf();
  await aloft.told('opened');
  expect((await ending).code).toBe(0);
});

test.each([
  ['the postmaster is killed', 'SIGKILL', 'postmaster'],
  ['the postmaster is asked to end', 'SIGTERM', 'postmaster'],
  ['a backend is killed', 'SIGKILL', 'backend'],
] as const)('%s while Aloft lives: PostgreSQL is brought back and the pools recover', async (_, signal, whom) => {
  await using aloft = aloftOf({ WRITE: '1' });
  const { host, cluster } = await aloft.told('opened');
  await aloft.told('written');
  const told = aloft.lines.length;
  process.kill(whom === 'postmaster' ? await postmasterOf(cluster) : await backendOf(host), signal);
  await aloft.told('warned', told);
  const lost = aloft.lines.findIndex(({ warned }) => warned?.includes('has ended'));
  const back = await aloft.find(({ warned }) => warned?.includes('is back') === true, lost);
  await aloft.told('written', back);
  const acknowledged = aloft.lines.flatMap(({ written }) => written ?? []);
  const rows = await ask<{ id: number }>(host, 'SELECT id FROM written');
  const kept = new Set(rows.map(({ id }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
});

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}

async function backendOf(host: string): Promise<number> {
  const [row] = await ask<{ pid: number }>(
    host,
    `SELECT pid FROM pg_stat_activity WHERE application_name = 'aloft' LIMIT 1`,
  );
  return row!.pid;
}

/** Returns when a backend computes. */
async function computes(host: string, pid: number): Promise<void> {
  while (
    (await ask(host, `SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event IS NULL`, [pid]))
      .length === 0
  );
}
