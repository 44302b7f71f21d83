/** Who is signed in: people by a session, programs by a key. Both are known to us by the hash of their token alone. */
import { v7 as uuid } from 'uuid';
import type { Role } from '../../prisma/client/enums.ts';
import type { Viewer } from './access.ts';
import type { Actor } from './actor.ts';
import { NotFoundError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import type { Query } from './query.ts';
import { shortText } from './text.ts';
import { hashToken, newToken } from './token.ts';

/** A key's last use is written at most this often. */
const USE_QUANTUM_MS = 300_000;

export interface Account {
  readonly id: string;
  readonly tenantId: string;
  readonly customerId: string | null;
  readonly passwordHash: string;
}

/** The account of an address, if there is one: for sign-in alone, which must not tell whether there is. */
export async function accountOf(query: Query, email: string): Promise<Account | undefined> {
  const [account] = await query<Account>(
    `SELECT id, tenant_id AS "tenantId", customer_id AS "customerId", password_hash AS "passwordHash"
     FROM "user" WHERE email = $1`,
    [email.trim().toLowerCase()],
  );
  return account;
}

export interface IssuedToken {
  readonly id: string;
  /** Not to be had again. */
  readonly token: string;
  readonly expiresAt: Date | null;
}

/** @param lifetimeMs the session ends then, used or not */
export async function openSession(
  query: Query,
  userId: string,
  lifetimeMs: number,
  now: Date,
): Promise<IssuedToken & { expiresAt: Date }> {
  const id = uuid();
  const token = newToken();
  const expiresAt = new Date(now.getTime() + lifetimeMs);
  await query('DELETE FROM session WHERE user_id = $1::uuid AND expires_at <= $2', [userId, now]);
  await query(
    'INSERT INTO session (id, user_id, token_hash, created_at, expires_at) VALUES ($1::uuid, $2::uuid, $3, $4, $5)',
    [id, userId, hashToken(token), now, expiresAt],
  );
  return { id, token, expiresAt };
}

/** What lives by the session ends on every node. */
export async function closeSession(query: Query, actor: Actor, id: string): Promise<void> {
  await query('DELETE FROM session WHERE id = $1::uuid', [id]);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'SESSION', entityId: id });
}

export interface ApiKeyDraft {
  readonly name: string;
  readonly expiresAt?: Date | null | undefined;
}

/** A key that acts with the rights of its user. @throws ValidationError */
export async function createApiKey(
  query: Query,
  actor: Actor,
  draft: ApiKeyDraft,
  now: Date,
): Promise<IssuedToken & { name: string }> {
  const id = uuid();
  const token = newToken();
  const name = shortText('The name', draft.name);
  const expiresAt = draft.expiresAt ?? null;
  await query(
    `INSERT INTO api_key (id, user_id, name, token_hash, created_at, expires_at)
     VALUES ($1::uuid, $2::uuid, $3, $4, $5, $6)`,
    [id, actor.userId, name, hashToken(token), now, expiresAt],
  );
  return { id, name, token, expiresAt };
}

/** @throws NotFoundError where it is not the actor's own */
export async function revokeApiKey(query: Query, actor: Actor, id: string): Promise<{ name: string }> {
  const [revoked] = await query<{ name: string }>(
    'DELETE FROM api_key WHERE id = $1::uuid AND user_id = $2::uuid RETURNING name',
    [id, actor.userId],
  );
  if (revoked === undefined) throw new NotFoundError('The API key');
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'API_KEY', entityId: id });
  return revoked;
}

interface CredentialRow {
  readonly type: 'SESSION' | 'API_KEY';
  readonly id: string;
  readonly expiresAt: Date | null;
  readonly userId: string;
  readonly tenantId: string;
  readonly customerId: string | null;
  readonly role: Role;
  readonly isUseWritten: boolean;
}

/** Asks the database each time, so that what was withdrawn is worth nothing at once. @returns null where nobody is known by the token */
export async function authenticate(query: Query, token: string, now: Date): Promise<Viewer | null> {
  const [found] = await query<CredentialRow>(SELECT_CREDENTIAL, [
    hashToken(token),
    now,
    new Date(now.getTime() - USE_QUANTUM_MS),
  ]);
  if (found === undefined) return null;
  if (!found.isUseWritten) await query('UPDATE api_key SET last_used_at = $2 WHERE id = $1::uuid', [found.id, now]);
  const { type, id, expiresAt, userId, tenantId, customerId, role } = found;
  return { userId, tenantId, customerId, role, credential: { type, id, expiresAt } };
}

/** Whether what the viewer was let in by still stands, unchanged. */
export async function isStillSo(query: Query, viewer: Viewer, now: Date): Promise<boolean> {
  const table = viewer.credential.type === 'SESSION' ? 'session' : 'api_key';
  const found = await query(
    `SELECT 1 AS found FROM ${table} c JOIN "user" u ON u.id = c.user_id
     WHERE c.id = $1::uuid AND (c.expires_at IS NULL OR c.expires_at > $2)
       AND u.role = $3::role AND u.customer_id IS NOT DISTINCT FROM $4::uuid`,
    [viewer.credential.id, now, viewer.role, viewer.customerId],
  );
  return found.length > 0;
}

const SELECT_CREDENTIAL = `
  SELECT c.type, c.id, c.expires_at AS "expiresAt", u.id AS "userId", u.tenant_id AS "tenantId", u.customer_id AS "customerId",
    u.role::text, c.used_at IS NULL OR c.used_at > $3 AS "isUseWritten"
  FROM (
    SELECT 'SESSION' AS type, id, user_id, expires_at, NULL::timestamptz AS used_at FROM session WHERE token_hash = $1
    UNION ALL
    SELECT 'API_KEY', id, user_id, expires_at, coalesce(last_used_at, '-infinity') FROM api_key WHERE token_hash = $1
  ) c
  JOIN "user" u ON u.id = c.user_id
  WHERE c.expires_at IS NULL OR c.expires_at > $2`;
