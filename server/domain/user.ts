/** People who sign in. */
import { v7 as uuid } from 'uuid';
import type { Role } from '../../prisma/client/enums.ts';
import type { Actor } from './actor.ts';
import { ConflictError, NotFoundError, ValidationError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import type { Query } from './query.ts';
import { shortText } from './text.ts';

export interface UserDraft {
  readonly email: string;
  readonly role: Role;
  readonly customerId?: string | null | undefined;
}

export interface PasswordLength {
  readonly passwordCharactersMin: number;
  readonly passwordCharactersMax: number;
}

/** Lower case: an address is one person's however it is written. @throws ValidationError */
export function emailAddress(text: string): string {
  const email = shortText('The e-mail address', text).toLowerCase();
  if (/^[^\s@]+@[^\s@]+$/.test(email)) return email;
  throw new ValidationError('This is not an e-mail address.');
}

/** @throws ValidationError */
export function requirePassword(
  password: string,
  { passwordCharactersMin: min, passwordCharactersMax: max }: PasswordLength,
): void {
  const length = [...password].length;
  if (length < min || length > max) throw new ValidationError(`A password has from ${min} to ${max} characters.`);
}

/**
 * A customer's user belongs to a customer; an administrator belongs to none.
 * @param passwordHash hashing is slow, so it is done before the transaction
 * @throws ValidationError, NotFoundError, ConflictError
 */
export async function createUser(
  query: Query,
  actor: Actor,
  draft: UserDraft,
  passwordHash: string,
  now: Date,
): Promise<{ id: string; email: string }> {
  const email = emailAddress(draft.email);
  const customerId = await customerOf(query, actor, draft);
  const id = uuid();
  const inserted = await query(
    `INSERT INTO "user" (id, tenant_id, customer_id, email, password_hash, role, created_at)
     VALUES ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6::role, $7) ON CONFLICT (email) DO NOTHING RETURNING id`,
    [id, actor.tenantId, customerId, email, passwordHash, draft.role, now],
  );
  if (inserted.length === 0) throw new ConflictError(`There is a user with the address ${email} already.`);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'USER', entityId: id });
  return { id, email };
}

async function customerOf(query: Query, actor: Actor, { role, customerId }: UserDraft): Promise<string | null> {
  if (role === 'TENANT_ADMIN') {
    if (customerId != null) throw new ValidationError('An administrator belongs to no customer.');
    return null;
  }
  if (customerId == null) throw new ValidationError('Say whose user this is: a customer user belongs to a customer.');
  const found = await query(
    'SELECT 1 AS found FROM customer WHERE id = $1::uuid AND tenant_id = $2::uuid FOR KEY SHARE',
    [customerId, actor.tenantId],
  );
  if (found.length === 0) throw new NotFoundError('The customer');
  return customerId;
}

/** Held while the first user is made: two processes that start at once make one. */
const FIRST_USER_LOCK = 0x0a10f0;

/**
 * The first administrator and a tenant for them, where the database holds no user.
 * @returns whether they were made just now
 */
export async function ensureFirstAdmin(
  query: Query,
  admin: { email: string; passwordHash: string },
  now: Date,
): Promise<boolean> {
  await query('SELECT pg_advisory_xact_lock($1::int, 0)::text', [FIRST_USER_LOCK]);
  const users = await query('SELECT 1 AS found FROM "user" LIMIT 1', []);
  if (users.length > 0) return false;
  const tenantId = uuid();
  await query('INSERT INTO tenant (id, name, created_at) VALUES ($1::uuid, $2, $3)', [tenantId, 'Default', now]);
  const tenant: Actor = { tenantId, userId: null, customerId: null };
  await createUser(query, tenant, { email: admin.email, role: 'TENANT_ADMIN' }, admin.passwordHash, now);
  return true;
}
