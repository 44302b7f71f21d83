/** S3, S4: signing in and out, keys, and what wrong passwords meet. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureFirstAdmin } from '../../server/domain/user.ts';
import { document } from '../support/contract.ts';
import { codeOf } from '../support/graphql.ts';
import { ADMIN, managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { CREATE_API_KEY } from '../support/tenancy.ts';

const VIEWER = '{ viewer { email role } }';
const DAY_MS = 24 * 3_600_000;

let server: ManagementServer;
let now: number;

beforeEach(async () => {
  now = Date.now();
  server = await managementServer({ clock: { now: () => now } });
});

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function attempt(email: string, password: string): Promise<Record<string, any>> {
  return server.nobody.act(
    `mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      __typename
      ... on Error { code message }
      ... on RateLimitedError { retryAfterMs }
    }
  }`,
    { email, password },
  );
}

describe('signing in', () => {
  it('does not tell whether the account exists (S4)', async () => {
    const wrong = await attempt(ADMIN.email, 'wrong password');
    const unknown = await attempt('nobody@example.com', 'wrong password');
    expect(wrong).toEqual(unknown);
    expect(wrong).toMatchObject({ __typename: 'UnauthenticatedError', code: 'UNAUTHENTICATED' });
  });

  it('takes the address in any case, and no other password for the right one', async () => {
    expect(await attempt(` ${ADMIN.email.toUpperCase()}`, ADMIN.password)).toMatchObject({ __typename: 'Session' });
    for (const password of ['', `${ADMIN.password} `, ADMIN.password.toUpperCase(), 'x'.repeat(100_000)]) {
      expect(await attempt(ADMIN.email, password)).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });

  it.each([ADMIN.email, 'nobody@example.com'])('slows wrong passwords for %s, more with each (S4)', async (email) => {
    for (let failure = 0; failure < 6; failure += 1) {
      expect(await attempt(email, 'wrong password')).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await attempt(email, 'wrong password')).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
    // The right one has to wait as well, or a guesser would know.
    expect(await attempt(email, ADMIN.password)).toMatchObject({ code: 'RATE_LIMITED' });
    now += 1_000;
    expect(await attempt(email, 'wrong password')).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await attempt(email, 'wrong password')).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 2_000 });
    now += 2_000;
    if (email !== ADMIN.email) return;
    expect(await attempt(email, ADMIN.password)).toMatchObject({ __typename: 'Session' });
    expect(await attempt(email, 'wrong password')).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('slows an address that tries one account after another (S4)', async () => {
    for (let account = 0; account < 51; account += 1) await attempt(`guess${account}@example.com`, 'wrong password');
    expect(await attempt('guess@example.com', 'wrong password')).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('keeps neither token nor password', async () => {
    const { token } = await server.nobody.act(document('Login'), ADMIN);
    const rows = await server.query('SELECT s.*, u.* FROM session s JOIN "user" u ON u.id = s.user_id', []);
    const all = JSON.stringify(rows, (_key, value) => (Buffer.isBuffer(value) ? value.toString('utf8') : value));
    expect(all).not.toContain(token);
    expect(all).not.toContain(ADMIN.password);
    expect(all).toContain('$argon2id$');
  });
});

describe('a session', () => {
  it('ends by signing out, and others stay', async () => {
    const [first, second] = [await server.nobody.login(ADMIN.email, ADMIN.password), server.admin];
    expect(await first.act('mutation { logout { __typename } }')).toEqual({ __typename: 'ClosedSession' });
    expect(codeOf(await first.send(VIEWER))).toBe('UNAUTHENTICATED');
    expect(await second.ask(VIEWER)).toEqual({ viewer: { email: ADMIN.email, role: 'TENANT_ADMIN' } });
  });

  it('ends by itself', async () => {
    now += 30 * DAY_MS - 1;
    expect(await server.admin.ask(VIEWER)).toMatchObject({ viewer: { email: ADMIN.email } });
    now += 1;
    expect(codeOf(await server.admin.send(VIEWER))).toBe('UNAUTHENTICATED');
  });
});

describe('an API key', () => {
  it('acts with the rights of its maker until it is revoked', async () => {
    const { id, token, expiresAt } = await server.admin.act(CREATE_API_KEY, { name: 'CI' });
    expect(expiresAt).toBeNull();
    const program = server.nobody.as(token);
    expect(await program.act(document('CreateCustomer'), { title: 'by CI' })).toMatchObject({ __typename: 'Customer' });
    const { apiKeys } = await server.admin.ask('{ apiKeys { edges { node { id name lastUsedAt } } } }');
    expect(apiKeys.edges).toEqual([{ node: { id, name: 'CI', lastUsedAt: new Date(now).toISOString() } }]);
    const revoke = 'mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }';
    expect(await server.admin.act(revoke, { id })).toEqual({ __typename: 'RevokedApiKey' });
    expect(codeOf(await program.send(VIEWER))).toBe('UNAUTHENTICATED');
  });

  it('expires', async () => {
    const expiresAt = new Date(now + 1_000).toISOString();
    const { token } = await server.admin.act(CREATE_API_KEY, { name: 'brief', expiresAt });
    expect(await server.nobody.as(token).ask(VIEWER)).toMatchObject({ viewer: { role: 'TENANT_ADMIN' } });
    now += 1_000;
    expect(codeOf(await server.nobody.as(token).send(VIEWER))).toBe('UNAUTHENTICATED');
  });
});

describe('a user', () => {
  const draft = { email: 'new@example.com', password: 'long enough', role: 'TENANT_ADMIN' };

  it.each([
    [{ email: 'no address' }, 'VALIDATION'],
    [{ email: '  ' }, 'VALIDATION'],
    [{ password: 'short' }, 'VALIDATION'],
    [{ password: 'x'.repeat(257) }, 'VALIDATION'],
    [{ role: 'CUSTOMER_USER' }, 'VALIDATION'],
    [{ role: 'CUSTOMER_USER', customerId: '00000000-0000-4000-8000-000000000000' }, 'NOT_FOUND'],
    [{ customerId: '00000000-0000-4000-8000-000000000000' }, 'VALIDATION'],
    [{ email: ADMIN.email.toUpperCase() }, 'CONFLICT'],
  ])('with %j is refused: %s', async (its, code) => {
    expect(await server.admin.act(document('CreateUser'), { ...draft, ...its })).toMatchObject({ code });
  });
});

describe('the first administrator', () => {
  it('is made once, and never beside another user', async () => {
    const again = () =>
      server.transact((query) =>
        ensureFirstAdmin(query, { email: 'second@example.com', passwordHash: 'x' }, new Date()),
      );
    expect(await again()).toBe(false);
    await server.query('TRUNCATE "user" CASCADE', []);
    const made = await Promise.all([again(), again(), again()]);
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await server.query('SELECT email, role::text FROM "user"', [])).toEqual([
      { email: 'second@example.com', role: 'TENANT_ADMIN' },
    ]);
  });
});
