/** A server on a database that the measuring program enters too. Both are durable, in a directory that goes with them. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { pino } from 'pino';
import { Disposers } from '../../server/adapters/disposers.ts';
import { startEmbeddedPostgres } from '../../server/adapters/embedded-postgres/embedded-postgres.ts';
import { LIMITS } from '../../server/config.ts';
import { Management } from './management.ts';
import { ADMIN, ServerProcess } from '../support/server-process.ts';

export interface TrialServer extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly management: Management;
  /** One connection to the server's database. */
  readonly database: Client;
}

/** Nobody waits for the pace in a measurement. */
const PACE = { TB_QUEUE_CORE_OTA_PACK_INTERVAL_MS: '1000', TB_QUEUE_CORE_OTA_PACK_SIZE: '1000000' };

export async function startTrialServer(): Promise<TrialServer> {
  const logger = pino({ level: 'warn' }, pino.destination({ fd: 2, sync: true }));
  const parts = new Disposers(logger);
  try {
    const directory = parts.use('directory', await trialDirectory());
    const postgres = parts.use('PostgreSQL', await startEmbeddedPostgres(directory.path, LIMITS, logger));
    const { host, port, user, database: name } = postgres.connection;
    const server = parts.use(
      'server',
      await ServerProcess.start([process.execPath, '--enable-source-maps', 'dist/server/main.js'], {
        ...PACE,
        DATA_DIR: join(directory.path, 'server'),
        DATABASE_URL: `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`,
      }),
    );
    const database = new Client({ host, port, user, database: name });
    await database.connect();
    parts.use('connection', { [Symbol.asyncDispose]: () => database.end() });
    const management = await Management.signIn(server.url, ADMIN);
    return { server, management, database, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

export async function trialDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'aloft-load-'));
  // Root gives PostgreSQL another account, which must be able to enter.
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
