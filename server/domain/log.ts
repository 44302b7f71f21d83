/**
 * The log: update events and entity changes, numbered in one sequence. The number is drawn under a lock that is held until
 * the commit, so the order of numbers is the order of commits and `seq > cursor` misses nothing. The lock is the last that a
 * transaction takes, as a statement of its own: nothing else is locked after it, and counters are written only under it.
 */
import type { EntityType } from '../../prisma/client/enums.ts';
import type { Query } from './query.ts';

/** Channel of LISTEN; the payload is the newest sequence number of the transaction. */
export const LOG_CHANNEL = 'aloft_log';

/** First key of Aloft's advisory locks with two keys, by what they protect. */
const LOG_LOCK = 0x0a10f7;

export async function lockLog(query: Query): Promise<void> {
  await query('SELECT pg_advisory_xact_lock($1::int, 0)::text', [LOG_LOCK]);
}

export interface EntityChange {
  readonly tenantId: string;
  readonly type: EntityType;
  readonly entityId: string;
}

/** Tells every node that something other than an update changed. The last act of its transaction: it takes the log lock. */
export async function recordEntityChange(query: Query, change: EntityChange): Promise<void> {
  await recordEntityChanges(query, [change]);
}

export async function recordEntityChanges(query: Query, changes: readonly EntityChange[]): Promise<void> {
  if (changes.length === 0) return;
  await lockLog(query);
  await appendEntityChanges(query, changes);
}

/** The same where the log lock is held already. */
export async function appendEntityChanges(query: Query, changes: readonly EntityChange[]): Promise<void> {
  if (changes.length === 0) return;
  await query(
    `WITH appended AS (
       INSERT INTO entity_change (seq, tenant_id, type, entity_id, changed_at)
       SELECT nextval('log_seq'), c."tenantId", c.type, c."entityId", clock_timestamp()
       FROM json_to_recordset($1::json) AS c("tenantId" uuid, type entity_type, "entityId" uuid)
       RETURNING seq
     )
     SELECT pg_notify($2, max(seq)::text)::text FROM appended`,
    [JSON.stringify(changes), LOG_CHANNEL],
  );
}
