/** Customers: rules and writes. */
import { v7 as uuid } from 'uuid';
import type { Actor } from './actor.ts';
import { ConflictError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import type { Query } from './query.ts';
import { shortText } from './text.ts';

export interface CustomerDraft {
  readonly title: string;
}

/** @throws ValidationError, ConflictError */
export async function createCustomer(
  query: Query,
  actor: Actor,
  draft: CustomerDraft,
  now: Date,
): Promise<{ id: string; title: string }> {
  const id = uuid();
  const title = shortText('The title', draft.title);
  const inserted = await query(
    `INSERT INTO customer (id, tenant_id, title, created_at) VALUES ($1::uuid, $2::uuid, $3, $4)
     ON CONFLICT (tenant_id, title) DO NOTHING RETURNING id`,
    [id, actor.tenantId, title, now],
  );
  if (inserted.length === 0) throw new ConflictError(`There is a customer titled ${title} already.`);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'CUSTOMER', entityId: id });
  return { id, title };
}
