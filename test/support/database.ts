/** A database of its own for a test file: cloned from the run's template, dropped when it is disposed. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../server/adapters/database.ts';
import { readConfig } from '../../server/config.ts';

/** `url` can be given to a server as DATABASE_URL. */
export async function testDatabase(): Promise<Database & { url: string }> {
  const { host, port, user, template } = inject('testPostgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  const url = `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const database = await openDatabase({ ...readConfig({}), databaseUrl: url }, pino({ level: 'silent' }));
  return {
    ...database,
    url,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      // FORCE: a process that a test has killed may still have its connections.
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function administer(statement: string): Promise<void> {
  const { host, port, user } = inject('testPostgres');
  const client = new Client({ host, port, user, database: 'postgres' });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
