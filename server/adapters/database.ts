/** The database: pools, transactions and Prisma's client over one PostgreSQL, the server's or our own. */
import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Logger } from 'pino';
import { PrismaClient } from '../../prisma/client/client.ts';
import { type Config, type Limits, SettingError, StartError } from '../config.ts';
import type { Query } from '../domain/query.ts';
import { startEmbeddedPostgres } from './embedded-postgres/embedded-postgres.ts';
import { applyMigrations } from './migrations.ts';

export interface Database extends AsyncDisposable {
  /** Reads and management: Prisma's adapter uses this pool too. */
  readonly pool: pg.Pool;
  /** The pool of everything that changes updates: few connections, whose statements and idle transactions are ended in time. */
  readonly writers: pg.Pool;
  readonly prisma: PrismaClient;
  /** A connection of its own, for LISTEN; the caller ends it. */
  connect(): Promise<pg.Client>;
}

/** The oldest major version that has all that the SQL uses. */
const VERSION_MIN = 15;

/** Throws StartError or SettingError: one line for people, no secret in it. Migrations are applied on return. */
export async function openDatabase(config: Config, log: Logger): Promise<Database> {
  await using opened = new AsyncDisposableStack();
}
