/** Databases of a test file's own, in the PostgreSQL of the run; dropped when they are disposed. */
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { pino } from 'pino';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../server/adapters/database.ts';
import { readConfig } from '../../server/config.ts';

interface EmptyDatabase extends AsyncDisposable {
  /** Can be given to a server as DATABASE_URL. */
  readonly url: string;
  connect(): Promise<Client>;
}

/** With every migration and no rows. */
export async function testDatabase(): Promise<Database & { url: string }> {
  const made = await make(inject('testPostgres').template);
  const database = await openDatabase({ ...readConfig({}), databaseUrl: made.url }, pino({ level: 'silent' }));
  return {
    ...database,
    url: made.url,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await made[Symbol.asyncDispose]();
    },
  };
}

/** Without any table. */
export function emptyDatabase(): Promise<EmptyDatabase> {
  return make('template0');
}

async function make(template: string): Promise<EmptyDatabase> {
  const { host, port, user } = inject('testPostgres');
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: `postgresql://${user}@/${name}?host=${encodeURIComponent(host)}&port=${port}`,
    connect: () => connect(name),
    // FORCE: a process that a test has killed may still have its connections.
    [Symbol.asyncDispose]: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function administer(statement: string): Promise<void> {
  const client = await connect('postgres');
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function connect(database: string): Promise<Client> {
  const { host, port, user } = inject('testPostgres');
  const client = new Client({ host, port, user, database });
  // It may be ended by force; its queries fail.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
