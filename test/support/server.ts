/** The whole server in this process, on a port and a database of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createApp } from '../../server/app.ts';
import { LIMITS, readConfig } from '../../server/config.ts';
import type { Config, Limits } from '../../server/config.ts';
import { queryOn } from '../../server/adapters/database.ts';
import type { Query } from '../../server/domain/query.ts';
import { testDatabase } from './database.ts';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' } as const;

/** Devices are told as fast as they can be. */
export const NO_PACE = { intervalMs: 1_000, size: 10_000 } as const;

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  /** The database beneath it, for what must hold there. */
  readonly query: Query;
  /** Ends the server as SIGTERM does and, after `between`, starts it again on the same port and database. */
  restart(between?: () => Promise<void>): Promise<void>;
}

export async function testServer(
  overrides: Partial<Omit<Config, 'limits'>> & { limits?: Partial<Limits> } = {},
): Promise<TestServer> {
  const database = await testDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'aloft-server-'));
  const logger = pino({ level: 'silent' });
  const config: Config = {
    ...readConfig({}),
    host: '127.0.0.1',
    port: 0,
    admin: ADMIN,
    pace: NO_PACE,
    dataDir,
    databaseUrl: database.url,
    ...overrides,
    limits: { ...LIMITS, ...overrides.limits },
  };
  const giveBack = async (): Promise<void> => {
    await database[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  };
  let app = await createApp(config, logger).catch(async (error: unknown) => {
    await giveBack();
    throw error;
  });
  const url = app.url;
  return {
    url,
    query: queryOn(database.pool),
    async restart(between) {
      await app[Symbol.asyncDispose]();
      await between?.();
      app = await createApp({ ...config, port: Number(new URL(url).port) }, logger);
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]();
      await giveBack();
    },
  };
}
