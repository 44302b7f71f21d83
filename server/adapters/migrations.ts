/**
 * Applies prisma/migrations at boot and keeps Prisma's own records in `_prisma_migrations`, so that Prisma's tools and
 * this runner see the same; the server needs neither the tools nor their engine. Each migration and its record are one
 * transaction: dying anywhere leaves it applied or not.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClientBase } from 'pg';
import type { Logger } from 'pino';
import { StartError } from '../config.ts';
import { codeOf, messageOf } from './fault.ts';

export interface Migration {
  /** The name of its folder, which begins with its date: their order is the order of application. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, lower-case hex, as Prisma records it. */
  readonly checksum: string;
}

/** A row of `_prisma_migrations`, as far as it decides. */
export interface MigrationRecord {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  readonly rolled_back_at: Date | null;
}

/** The key under which Prisma's engine migrates, so that it and we wait for each other. */
const LOCK = 72_707_369;
const LOCK_NOT_AVAILABLE = '55P03';
const UNDEFINED_TABLE = '42P01';

/** As Prisma's engine creates it. */
const TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/**
 * `waitMs` is the longest wait for another process that migrates. Throws StartError where the records and the folder do
 * not fit together or a migration fails, in which case the database is as it was before that one.
 */
export async function applyMigrations(client: ClientBase, waitMs: number, log: Logger): Promise<void> {
  const known = await readMigrations();
  if (pending(known, await readRecords(client)).length === 0) return;
  await lock(client, waitMs);
  try {
    await client.query(TABLE);
    // Another process may have been faster.
    for (const migration of pending(known, await readRecords(client))) {
      await apply(client, migration);
      log.info(`Applied migration ${migration.name}`);
    }
  } finally {
    // A connection that broke has given the lock back already.
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
  }
}

/** What is still to be applied, in order. Throws StartError where the database cannot be brought up to date. */
export function pending(known: readonly Migration[], records: readonly MigrationRecord[]): Migration[] {
  const applied = new Map(
    records.filter((record) => record.rolled_back_at === null).map((record) => [record.migration_name, record]),
  );
  for (const { migration_name: name, finished_at: finished } of applied.values()) {
    if (finished === null)
      throw new StartError(
        `Migration ${name} failed in this database and is recorded as unfinished; mend it, and record that with "prisma migrate resolve".`,
      );
    if (!known.some((migration) => migration.name === name)) {
      throw new StartError(
        `The database has migration ${name}, which this Aloft does not know; run the newer Aloft that applied it, or another database.`,
      );
    }
  }
  return known.filter(({ name, checksum }) => {
    const record = applied.get(name);
    if (record && record.checksum !== checksum) {
      throw new StartError(
        `Migration ${name} is not the one that was applied to this database (its checksum differs); restore its file, or use another database.`,
      );
    }
    return record === undefined;
  });
}

async function readMigrations(): Promise<Migration[]> {
  const folder = migrationsFolder();
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const bytes = await readFile(join(folder, name, 'migration.sql'));
      return { name, sql: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

/** Of the checkout, found from the source as from the compiled file, which lies one level deeper. */
function migrationsFolder(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const folder = join(directory, 'prisma', 'migrations');
    if (existsSync(join(folder, 'migration_lock.toml'))) return folder;
    if (dirname(directory) === directory)
      throw new StartError('prisma/migrations is missing; Aloft runs from its checkout.');
  }
}

async function readRecords(client: ClientBase): Promise<MigrationRecord[]> {
  try {
    const { rows } = await client.query<MigrationRecord>(
      'SELECT migration_name, checksum, finished_at, rolled_back_at FROM "_prisma_migrations" ORDER BY started_at',
    );
    return rows;
  } catch (error) {
    if (codeOf(error) === UNDEFINED_TABLE) return [];
    throw error;
  }
}

async function lock(client: ClientBase, waitMs: number): Promise<void> {
  await client.query(`SELECT set_config('lock_timeout', $1, false)`, [String(waitMs)]);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new StartError(
      `Another process has been migrating the database for more than ${waitMs} ms; start again when it has finished.`,
    );
  }
  await client.query('RESET lock_timeout');
}

async function apply(client: ClientBase, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    await client.query(sql);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name, rows[0]?.now],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw new StartError(
      `Migration ${name} failed and was undone: ${messageOf(error)}. The database is as it was before.`,
    );
  }
}
