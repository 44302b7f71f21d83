/** The database: pools, transactions and Prisma's client over one PostgreSQL, a server's or our own. */
import { setTimeout as delay } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import { Client, type ClientBase, type ClientConfig, Pool, type QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from '../../prisma/client/client.ts';
import { type Config, LIMITS, type Limits, SettingError, StartError } from '../config.ts';
import type { Query } from '../domain/query.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { messageOf } from './fault.ts';
import { applyMigrations } from './migrations.ts';
import { StatementNames } from './statement-names.ts';

export interface Database extends AsyncDisposable {
  /** Reads and management: Prisma's adapter uses this pool too. */
  readonly pool: Pool;
  /**
   * The pool of everything that changes updates: few connections, whose statements and idle transactions are ended in
   * time.
   */
  readonly writers: Pool;
  readonly prisma: PrismaClient;
  /** A connection of its own, for LISTEN; the caller ends it. Its loss is told by 'end'. */
  connect(): Promise<Client>;
}

/** `server_version_num` of PostgreSQL 15. */
const VERSION_MIN = 150_000;

const statementNames = new StatementNames(LIMITS.preparedStatementsMax);

/** Throws StartError or SettingError: one line for people, no secret in it. Every migration is applied on return. */
export async function openDatabase(config: Config, log: Logger): Promise<Database> {
  if (config.databaseUrl !== undefined) {
    const connection = { connectionString: config.databaseUrl };
    await checkServer(connection, config.limits);
    return prepare(connection, undefined, config.limits, log);
  }
  const embedded = await startEmbeddedPostgres(config.dataDir, config.limits, log);
  return prepare(embedded.connection, embedded, config.limits, log);
}

/**
 * Runs `act` in one transaction on a connection of `pool`. On return it is committed; a throw means that it is not, or,
 * where the connection broke during the commit, that nobody can tell.
 */
export async function transaction<T>(pool: Pool, act: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await act(queryOn(client));
    const { command } = await client.query('COMMIT');
    // PostgreSQL answers COMMIT with ROLLBACK, and no error, where a statement failed and `act` went on.
    if (command !== 'COMMIT') throw new Error('A statement of the transaction failed, so it was rolled back.');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((second: Error) => (broken = second));
    throw error;
  } finally {
    client.release(broken);
  }
}

export function queryOn(client: Pool | ClientBase): Query {
  return async <R>(text: string, values: readonly unknown[]) => {
    // Without values it may be several statements, which cannot be prepared.
    const name = values.length > 0 ? statementNames.of(text) : undefined;
    const { rows } = await client.query<R & QueryResultRow>({ ...(name && { name }), text, values: [...values] });
    return rows;
  };
}

async function prepare(
  connection: ClientConfig,
  embedded: EmbeddedPostgres | undefined,
  limits: Limits,
  log: Logger,
): Promise<Database> {
  try {
    const client = await connect(connection, limits);
    try {
      await applyMigrations(client, limits.migrationWaitMs, log);
    } finally {
      await client.end();
    }
  } catch (error) {
    await embedded?.[Symbol.asyncDispose]();
    if (error instanceof StartError) throw error;
    throw new StartError(`The database cannot be brought up to date: ${messageOf(error)}. Mend that, and start again.`);
  }
  const pool = makePool(connection, limits.databaseConnectionsMax, {}, limits, log);
  const writers = makePool(
    connection,
    limits.writerConnectionsMax,
    {
      statement_timeout: `${limits.writerStatementTimeoutMs}ms`,
      idle_in_transaction_session_timeout: `${limits.writerIdleInTransactionTimeoutMs}ms`,
    },
    limits,
    log,
  );
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: limits.databaseWaitMs, timeout: limits.managementTransactionTimeoutMs },
  });
  return {
    pool,
    writers,
    prisma,
    connect: () => connect(connection, limits),
    async [Symbol.asyncDispose]() {
      await prisma.$disconnect();
      // A pool ends when its last connection is given back; one that is not is cut off.
      await Promise.race([
        Promise.all([pool.end(), writers.end()]),
        delay(limits.databaseEndMs, undefined, { ref: false }),
      ]);
      await embedded?.[Symbol.asyncDispose]();
    },
  };
}

function makePool(connection: ClientConfig, max: number, settings: SessionSettings, limits: Limits, log: Logger): Pool {
  const pool = new Pool({
    ...common(connection, limits),
    max,
    // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it, though its types do not say so
    onConnect: (client) => setSession(client, settings),
  });
  // A connection that breaks while it is idle, or lent out, would otherwise end the process; whoever uses it sees its
  // query fail.
  pool.on('error', (error) => log.warn(`An idle connection to the database was lost: ${error.message}`));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

async function connect(connection: ClientConfig, limits: Limits): Promise<Client> {
  const client = new Client(common(connection, limits));
  client.on('error', () => undefined);
  await client.connect();
  try {
    await setSession(client, {});
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

function common(connection: ClientConfig, limits: Limits): ClientConfig {
  return { ...connection, application_name: 'aloft', keepAlive: true, connectionTimeoutMillis: limits.databaseWaitMs };
}

/** PostgreSQL's settings by name. */
type SessionSettings = Readonly<Record<string, string>>;

/**
 * Sent as a statement, because in the start of a session DATABASE_URL would win. UTC, because Prisma's adapter cuts the
 * offset off every timestamptz.
 */
async function setSession(client: ClientBase, settings: SessionSettings): Promise<void> {
  const all = Object.entries({ TimeZone: 'UTC', ...settings });
  const calls = all.map((_, index) => `set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`);
  await client.query(`SELECT ${calls.join(', ')}`, all.flat());
}

/**
 * Throws StartError where the server of DATABASE_URL does not answer, or is too old; SettingError where the URL is
 * none.
 */
async function checkServer(connection: { connectionString: string }, limits: Limits): Promise<void> {
  const client = parsed(connection, limits);
  // Its password is left out.
  const named = `DATABASE_URL=postgresql://${client.user ?? ''}@${client.host}:${client.port}/${client.database ?? ''}`;
  try {
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ number: number; version: string }>(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version`,
    );
    const [server] = rows;
    if (server && server.number < VERSION_MIN) {
      throw new StartError(
        `${named} is PostgreSQL ${server.version}, and Aloft needs 15 or later; upgrade it, or unset DATABASE_URL to use the embedded database.`,
      );
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `${named} cannot be used: ${messageOf(error)}; start that server or correct DATABASE_URL, or unset it to use the embedded database.`,
    );
  } finally {
    void client.end().catch(() => undefined);
  }
}

function parsed(connection: { connectionString: string }, limits: Limits): Client {
  try {
    return new Client(common(connection, limits));
  } catch {
    throw new SettingError(
      'DATABASE_URL cannot be parsed (it is not shown, since it may hold a password); write postgresql://user:password@host:port/database.',
    );
  }
}
