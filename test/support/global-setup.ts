/** One PostgreSQL for a whole run of the tests, in a directory of its own that goes when the run ends. */
import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { LIMITS } from '../../server/config.ts';
import { startEmbeddedPostgres } from '../../server/adapters/embedded-postgres/embedded-postgres.ts';
import { applyMigrations } from '../../server/adapters/migrations.ts';

export interface TestPostgres {
  /** Directory of the socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** A database with every migration and no rows, to be cloned. */
  readonly template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    testPostgres: TestPostgres;
  }
}

interface Running extends AsyncDisposable {
  readonly postgres: TestPostgres;
}

declare global {
  /** Each project of a run calls this file in a module graph of its own; what they share hangs at the process. */
  var aloftTestPostgres: { users: number; readonly running: Promise<Running> } | undefined;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const use = (globalThis.aloftTestPostgres ??= { users: 0, running: start() });
  use.users += 1;
  project.provide('testPostgres', (await use.running).postgres);
  return async () => {
    use.users -= 1;
    if (use.users > 0) return;
    globalThis.aloftTestPostgres = undefined;
    await (await use.running)[Symbol.asyncDispose]();
  };
}

async function start(): Promise<Running> {
  const log = pino({ level: 'silent' });
  const directory = await mkdtemp(join(tmpdir(), 'aloft-test-'));
  // Not durable: what tests durability starts a PostgreSQL of its own.
  const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '200' };
  const embedded = await startEmbeddedPostgres(directory, LIMITS, log, settings);
  const removeAll = (): void => {
    // Its account may not have been able to enter the temporary directory; then its files lie elsewhere.
    for (const path of [dirname(embedded.cluster), directory]) rmSync(path, { recursive: true, force: true });
  };
  const endAtOnce = (): void => {
    process.kill(Number.parseInt(readFileSync(join(embedded.cluster, 'postmaster.pid'), 'utf8'), 10), 'SIGQUIT');
    removeAll();
  };
  // A run that is given up takes no leave of its set-up.
  process.once('exit', endAtOnce);

  const { host, port, user, database } = embedded.connection;
  const client = new Client({ host, port, user, database });
  await client.connect();
  await applyMigrations(client, LIMITS.migrationWaitMs, log);
  await client.end();
  return {
    postgres: { host, port, user, template: database },
    async [Symbol.asyncDispose]() {
      await embedded[Symbol.asyncDispose]();
      process.off('exit', endAtOnce);
      removeAll();
    },
  };
}
