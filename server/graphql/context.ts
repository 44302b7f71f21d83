/** What a resolver is given: the parts of the house that this edge needs, who asks, and from where. */
import type { Logger } from 'pino';
import type { PrismaClient } from '../../prisma/client/client.ts';
import type { Limits } from '../config.ts';
import type { Viewer } from '../domain/access.ts';
import type { Clock, EventLog, PackageStore, Passwords } from '../domain/ports.ts';
import type { Query, Transaction } from '../domain/query.ts';
import type { SignInAttempts } from '../domain/sign-in-attempts.ts';
import type { FleetCounts } from './fleet-counts.ts';
import type { Loaders } from './loaders.ts';
import type { UpdateFeed } from './update-feed.ts';

export interface Services {
  readonly prisma: PrismaClient;
  /** One statement outside of a transaction. */
  readonly query: Query;
  readonly transaction: Transaction;
  readonly eventLog: EventLog;
  readonly passwords: Passwords;
  readonly packageStore: PackageStore;
  readonly packageBytesMax: number;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Logger;
}

export interface Context {
  readonly services: Services;
  readonly signInAttempts: SignInAttempts;
  readonly viewer: Viewer | null;
  /** The other end of the connection, for what is slowed per address. */
  readonly address: string;
  readonly loaders: Loaders;
  readonly fleetCounts: FleetCounts;
  readonly updateFeed: UpdateFeed;
  /** The WebSocket of a subscription: how many bytes its reader has left unread. */
  readonly unreadBytes?: () => number;
}
