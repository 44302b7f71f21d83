/** S2: every act writes who did what to what, and how it ended, in the transaction of the act. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS } from '../../server/domain/access.ts';
import type { Act } from '../../server/domain/access.ts';
import { ACTS } from '../support/acts.ts';
import { document } from '../support/contract.ts';
import { ADMIN, managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

const mutations = (Object.keys(ACCESS) as Act[]).filter((act) => ACTS[act].kind === 'mutation');

interface Entry {
  id: string;
  action: string;
  email: string | null;
  entity_id: string | null;
  entity_name: string | null;
  outcome: string;
  error_code: string | null;
  before: object | null;
  after: object | null;
}

let server: ManagementServer;
let ours: Tenancy;
let theirs: Tenancy;

beforeAll(async () => {
  server = await managementServer();
  ours = await tenancy(server, 'ours');
  theirs = await tenancy(server, 'theirs');
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function entries(): Promise<Entry[]> {
  return server.query<Entry>(
    `SELECT e.id, e.action, u.email, e.entity_id, e.entity_name, e.outcome::text, e.error_code, e.before, e.after
     FROM audit_entry e LEFT JOIN "user" u ON u.id = e.actor_id ORDER BY e.id`,
    [],
  );
}

/** What was written while `act` ran. */
async function written(act: () => Promise<unknown>): Promise<Entry[]> {
  const known = new Set((await entries()).map(({ id }) => id));
  await act();
  return (await entries()).filter(({ id }) => !known.has(id));
}

/** Succeeding, in an order in which each leaves the next what it needs. */
const ORDER: Act[] = [
  'createUser',
  'createCustomer',
  'createDeviceProfile',
  'createDevice',
  'createOtaPackage',
  'createApiKey',
  'updateDevice',
  'updateOtaPackage',
  'rotateAccessToken',
  'assignOtaPackage',
  'unassignOtaPackage',
  'revokeApiKey',
  'deleteOtaPackage',
  'deleteDevice',
];

describe('the audit log', () => {
  it.each(mutations.filter((act) => act !== 'login'))('has an entry of a refused %s', async (act) => {
    const refused = (): Promise<unknown> =>
      act === 'logout'
        ? asKey().then((client) => client.send(ACTS.logout.document))
        : ours.customerUser.send(ACTS[act].document, ACTS[act].variables(theirs));
    if (act === 'createApiKey') return;
    const news = (await written(refused)).filter(({ action }) => action === act);
    expect(news).toEqual([
      expect.objectContaining({ outcome: 'REFUSED', error_code: expect.any(String), before: null, after: null }),
    ]);
  });

  it.each(ORDER)('has an entry of a %s that succeeded', async (act) => {
    const news = await written(() => ours.admin.act(ACTS[act].document, ACTS[act].variables(ours)));
    expect(news).toEqual([
      expect.objectContaining({
        action: act,
        outcome: 'SUCCEEDED',
        error_code: null,
        email: 'admin@ours.example',
        entity_id: expect.any(String),
      }),
    ]);
  });

  it('knows every mutation', () => {
    expect([...ORDER, 'login', 'logout', 'deleteDeviceProfile'].toSorted()).toEqual(mutations.toSorted());
  });

  it('tells what was, and what is', async () => {
    const { id } = await ours.admin.act(document('CreateDevice'), {
      name: 'before',
      deviceProfileId: ours.deviceProfileId,
    });
    const [entry] = await written(() =>
      ours.admin.act(ACTS.updateDevice.document, { input: { id, name: 'after', customerId: ours.customerId } }),
    );
    expect(entry).toMatchObject({
      entity_id: id,
      entity_name: 'after',
      before: { name: 'before', customerId: null },
      after: { name: 'after', customerId: ours.customerId },
    });
  });

  it('holds no secret', async () => {
    const { accessToken } = await ours.admin.act(document('CreateDevice'), {
      name: 'secretive',
      deviceProfileId: ours.deviceProfileId,
      accessToken: 'SECRET-access-token',
    });
    const { token } = await ours.admin.act(ACTS.createApiKey.document, { name: 'secretive' });
    await ours.admin.act(document('CreateUser'), {
      email: 's@x.example',
      password: 'SECRET-password',
      role: 'TENANT_ADMIN',
    });
    const all = JSON.stringify(await entries());
    for (const secret of [accessToken, token, 'SECRET-password']) expect(all).not.toContain(secret);
  });

  it('has sign-ins, with and without success, and names the account that was tried', async () => {
    const news = await written(async () => {
      await server.nobody.act(document('Login'), { ...ADMIN, password: 'not this one' });
      await server.nobody.login(ADMIN.email, ADMIN.password);
    });
    expect(news).toEqual([
      expect.objectContaining({
        action: 'login',
        outcome: 'REFUSED',
        error_code: 'UNAUTHENTICATED',
        email: ADMIN.email,
      }),
      expect.objectContaining({ action: 'login', outcome: 'SUCCEEDED', email: ADMIN.email }),
    ]);
  });

  it('has a deletion of a profile and a sign-out', async () => {
    const { id } = await ours.admin.act(document('CreateDeviceProfile'), { name: 'short-lived' });
    const session = await server.nobody.login(ADMIN.email, ADMIN.password);
    const news = await written(async () => {
      await ours.admin.act(ACTS.deleteDeviceProfile.document, { id });
      await session.act(ACTS.logout.document);
    });
    expect(news.map(({ action, outcome, before }) => [action, outcome, before])).toEqual([
      ['deleteDeviceProfile', 'SUCCEEDED', { name: 'short-lived' }],
      ['logout', 'SUCCEEDED', null],
    ]);
  });

  it('goes with the act: where the entry cannot be written, nothing was done', async () => {
    await server.query(
      `ALTER TABLE audit_entry ADD CONSTRAINT no_customers CHECK (entity_name IS DISTINCT FROM 'Unwritable') NOT VALID`,
      [],
    );
    const answer = await ours.admin.send(document('CreateCustomer'), { title: 'Unwritable' });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'INTERNAL', reference: expect.any(String) });
    expect(JSON.stringify(answer)).not.toMatch(/audit_entry|no_customers|constraint/);
    expect(await server.query('SELECT 1 AS found FROM customer WHERE title = $1', ['Unwritable'])).toEqual([]);
  });
});

async function asKey() {
  const { token } = await ours.admin.act(ACTS.createApiKey.document, { name: 'no session' });
  return server.nobody.as(token);
}
