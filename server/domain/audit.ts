/** Who did what, when, on what, and how it ended: written in the transaction of the act, and never changed. */
import { v7 as uuid } from 'uuid';
import type { AuditOutcome, EntityType } from '../../prisma/client/enums.ts';
import type { ErrorCode } from './errors.ts';
import type { Query } from './query.ts';

export interface AuditEntry {
  readonly tenantId: string;
  readonly actorId: string | null;
  /** The field of the management API. */
  readonly action: string;
  readonly entityType: EntityType;
  readonly entityId: string | null;
  readonly entityName: string | null;
  readonly outcome: AuditOutcome;
  readonly errorCode: ErrorCode | null;
  /** The part of the thing that the act is about, as it was and as it is; no secrets. */
  readonly before: object | null;
  readonly after: object | null;
}

/**
 * The actor's row, held against deletion. The entry refers to it, and is written when the log lock is held already, after which
 * nothing may be locked.
 */
export async function holdActor(query: Query, userId: string): Promise<void> {
  await query('SELECT 1 AS held FROM "user" WHERE id = $1::uuid FOR KEY SHARE', [userId]);
}

export async function writeAuditEntry(query: Query, entry: AuditEntry, now: Date): Promise<void> {
  await query(
    `INSERT INTO audit_entry (id, tenant_id, at, actor_id, action, entity_type, entity_id, entity_name, outcome, error_code, before, after)
     VALUES ($1::uuid, $2::uuid, $3, $4::uuid, $5, $6::entity_type, $7::uuid, $8, $9::audit_outcome, $10, $11::jsonb, $12::jsonb)`,
    [
      uuid(),
      entry.tenantId,
      now,
      entry.actorId,
      entry.action,
      entry.entityType,
      entry.entityId,
      entry.entityName,
      entry.outcome,
      entry.errorCode,
      json(entry.before),
      json(entry.after),
    ],
  );
}

function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
