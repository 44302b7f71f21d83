/** Pools and transactions on a real server, and the refusals of DATABASE_URL. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, queryOn, transaction } from '../../server/adapters/database.ts';
import { type Limits, LIMITS, readConfig, SettingError, StartError } from '../../server/config.ts';
import { emptyDatabase, testDatabase } from '../support/database.ts';

const log = pino({ level: 'silent' });
const SHORT = { ...LIMITS, writerStatementTimeoutMs: 100, writerIdleInTransactionTimeoutMs: 100 };

/** What a query of a connection says that was cut, depending on what is noticed first. */
const BROKEN = /^(terminating connection|Connection terminated|Client has encountered a connection error)/;

let database: Awaited<ReturnType<typeof testDatabase>>;

beforeAll(async () => {
  database = await testDatabase();
  await database.pool.query('CREATE TABLE kept (id int PRIMARY KEY)');
});
afterAll(() => database[Symbol.asyncDispose]());

describe('a transaction', () => {
  test('commits what it did, and returns what its work returns', async () => {
    const [row] = await transaction(database.writers, (query) =>
      query<{ id: number }>('INSERT INTO kept VALUES ($1) RETURNING id', [1]),
    );
    expect(row).toEqual({ id: 1 });
    expect(await kept(1)).toBe(true);
  });

  test('is rolled back when its work throws, and its connection goes on', async () => {
    const failure = transaction(database.writers, async (query) => {
      await query('INSERT INTO kept VALUES ($1)', [2]);
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(await kept(2)).toBe(false);
    expect(database.writers.totalCount - database.writers.idleCount).toBe(0);
  });

  test('throws where a statement failed and its work went on: PostgreSQL answers that COMMIT with ROLLBACK', async () => {
    const failure = transaction(database.writers, async (query) => {
      await query('INSERT INTO kept VALUES ($1)', [3]);
      await query('SELECT 1 / 0', []).catch(() => undefined);
      return 'committed?';
    });
    await expect(failure).rejects.toThrow(/was rolled back/);
    expect(await kept(3)).toBe(false);
  });

  test('whose connection is cut throws, the connection is discarded, and the next one works', async () => {
    const failure = transaction(database.writers, async (query) => {
      const [backend] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid', []);
      await query('INSERT INTO kept VALUES ($1)', [4]);
      await database.pool.query('SELECT pg_terminate_backend($1)', [backend?.pid]);
      return query('SELECT 1', []);
    });
    await expect(failure).rejects.toThrow(BROKEN);
    expect(await transaction(database.writers, (query) => query('SELECT 5 AS five', []))).toEqual([{ five: 5 }]);
    expect(await kept(4)).toBe(false);
  });
});

describe('over DATABASE_URL', () => {
  test('every connection is in UTC and has its limits, whatever the URL asks for', async () => {
    const url = `${database.url}&options=${encodeURIComponent('-c TimeZone=Asia/Tokyo')}&statement_timeout=0`;
    await using opened = await open(url);
    const connection = await opened.connect();
    for (const query of [queryOn(opened.pool), queryOn(opened.writers), queryOn(connection)]) {
      expect(await query('SELECT current_setting($1) AS zone', ['TimeZone'])).toEqual([{ zone: 'UTC' }]);
    }
    await connection.end();
    const wanted = [{ statement: '100ms', idle: '100ms' }];
    const names = `SELECT current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle`;
    expect(await queryOn(opened.writers)(names, [])).toEqual(wanted);
    expect(await opened.prisma.$queryRaw`SELECT '2026-01-02T03:04:05Z'::timestamptz AS at`).toEqual([
      { at: new Date('2026-01-02T03:04:05Z') },
    ]);
  });

  test('a writer that computes too long, or sleeps in its transaction, is ended and holds nobody up', async () => {
    await using opened = await open(database.url);
    const slow = transaction(opened.writers, (query) => query('SELECT pg_sleep(60)', []));
    await expect(slow).rejects.toThrow(/statement timeout/);
    const asleep = transaction(opened.writers, async (query) => {
      const [backend] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid', []);
      const ended = `SELECT FROM pg_stat_activity WHERE pid = $1`;
      await expect.poll(() => queryOn(opened.pool)(ended, [backend?.pid])).toEqual([]);
      return query('SELECT 1', []);
    });
    await expect(asleep).rejects.toThrow(BROKEN);
    expect(await transaction(opened.writers, (query) => query('SELECT 1 AS one', []))).toEqual([{ one: 1 }]);
  });

  test('two processes start on one empty database at once', async () => {
    await using empty = await emptyDatabase();
    const both = await Promise.all([open(empty.url), open(empty.url)]);
    expect(await Promise.all(both.map(({ prisma }) => prisma.tenant.count()))).toEqual([0, 0]);
    await Promise.all(both.map((one) => one[Symbol.asyncDispose]()));
  });

  test('a server that is not there, or does not know the database, is refused in one line without the password', async () => {
    const url = new URL(`postgresql://me:geheim@127.0.0.1:1/fleet`);
    expect(await refusal(url.href)).toMatch(
      /^StartError: DATABASE_URL=postgresql:\/\/me@127\.0\.0\.1:1\/fleet cannot be used: connect ECONNREFUSED .*; start that server or correct/,
    );
    const [before, after] = database.url.split(/test_\w+/);
    expect(await refusal(`${before}nowhere${after}&password=geheim`)).toMatch(/database "nowhere" does not exist/);
  });

  test('a database in which we may create nothing is refused in one line', async () => {
    await using empty = await emptyDatabase();
    const client = await empty.connect();
    const role = `guest_${randomUUID().replaceAll('-', '')}`;
    await client.query(`CREATE ROLE ${role} LOGIN`);
    expect(await refusal(empty.url.replace('//aloft@', `//${role}@`))).toMatch(
      /^StartError: The database cannot be brought up to date: permission denied for schema public/,
    );
    await client.query(`DROP ROLE ${role}`);
    await client.end();
  });

  test('a server that accepts and never answers is refused in time', async () => {
    const mute = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const address = mute.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const line = await refusal(`postgresql://me:geheim@127.0.0.1:${port}/fleet`, { databaseWaitMs: 100 });
    expect(line).toMatch(/cannot be used: timeout/);
    mute.close();
  });

  test('what is no URL is refused without being shown', async () => {
    expect(await refusal('postgresql://me:geheim@[nonsense/fleet')).toMatch(
      /^SettingError: DATABASE_URL cannot be parsed/,
    );
  });
});

async function kept(id: number): Promise<boolean> {
  return (await queryOn(database.pool)('SELECT FROM kept WHERE id = $1', [id])).length === 1;
}

function open(databaseUrl: string, limits: Partial<Limits> = {}) {
  return openDatabase({ ...readConfig({}), databaseUrl, limits: { ...SHORT, ...limits } }, log);
}

/** Its class and its one line. */
async function refusal(databaseUrl: string, limits: Partial<Limits> = {}): Promise<string> {
  const error: unknown = await open(databaseUrl, limits).catch((caught: unknown) => caught);
  if (!(error instanceof StartError || error instanceof SettingError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.message).not.toMatch(/geheim|\n/);
  return `${error.constructor.name}: ${error.message}`;
}
