/** P9 and the lists: keyset pages, filters, orders and counts. */
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { document } from '../support/contract.ts';
import { codeOf } from '../support/graphql.ts';
import { managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { neighbour, tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

const NAMES = ['alpha', 'Alpha 2', 'beta', 'Beta_1', 'beta%1', 'gamma', 'Gamma\\1', 'delta', 'épsilon', 'zeta'];

let server: ManagementServer;
let ours: Tenancy;
let otherProfileId: string;

beforeAll(async () => {
  // Counting ends early, so that a test need not make ten thousand.
  server = await managementServer({ limits: { totalCountMax: 5 } });
  ours = await tenancy(server, 'ours');
  ({ id: otherProfileId } = await ours.admin.act(document('CreateDeviceProfile'), { name: 'other' }));
  for (const name of NAMES) await ours.admin.act(document('CreateDevice'), { name, deviceProfileId: otherProfileId });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const DEVICES = `query ($first: Int, $after: String, $filter: DeviceFilter, $orderBy: DeviceOrder! = NAME) {
  devices(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node { id name } }
  }
}`;

/** Every page, one after the other. */
async function allPages(query: string, variables: Record<string, unknown>, first = 3): Promise<any[]> {
  const nodes: any[] = [];
  let after: string | null = null;
  do {
    const data: Record<string, any> = await ours.admin.ask(query, { ...variables, first, after });
    const { edges, pageInfo } = Object.values(data)[0];
    expect(edges.length).toBeLessThanOrEqual(first);
    expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null);
    nodes.push(...edges.map(({ node }: any) => node));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return nodes;
}

async function names(filter: Record<string, unknown>, orderBy = 'NAME'): Promise<string[]> {
  return (await allPages(DEVICES, { filter: { deviceProfileId: otherProfileId, ...filter }, orderBy })).map(
    ({ name }) => name,
  );
}

describe('devices', () => {
  it('are paged by name, each once', async () => {
    const listed = await names({});
    expect(listed.toSorted()).toEqual(NAMES.toSorted());
    const [sorted] = await server.query<{ names: string[] }>(
      'SELECT array_agg(name ORDER BY name) AS names FROM device WHERE device_profile_id = $1::uuid',
      [otherProfileId],
    );
    expect(listed).toEqual(sorted!.names);
  });

  it.each([
    ['ALPHA', ['alpha', 'Alpha 2']],
    ['eta', ['beta', 'beta%1', 'Beta_1', 'zeta']],
    ['%', ['beta%1']],
    ['_', ['Beta_1']],
    ['\\', ['Gamma\\1']],
    ["' OR 1=1 --", []],
  ])('are searched for %s as it stands, in any case', async (search, expected) => {
    expect((await names({ search })).toSorted()).toEqual(expected.toSorted());
  });

  it('are counted by counters, and by search up to a limit', async () => {
    const all = await ours.admin.ask(DEVICES, { filter: { deviceProfileId: otherProfileId } });
    expect(all['devices'].totalCount).toBe(NAMES.length);
    const found = await ours.admin.ask(DEVICES, { filter: { search: 'a' } });
    expect(found['devices'].totalCount).toBe(5);
    const few = await ours.admin.ask(DEVICES, { filter: { search: 'gamma' } });
    expect(few['devices'].totalCount).toBe(2);
  });

  it('are filtered by the states of their latest updates, NONE included', async () => {
    const update = (states: string[] | null) => ({ filter: { update: { type: 'FIRMWARE', states } } });
    const queued = await ours.admin.ask(DEVICES, update(['QUEUED']));
    expect(queued['devices']).toMatchObject({ totalCount: 1, edges: [{ node: { id: ours.deviceId } }] });
    const none = await allPages(DEVICES, update(['NONE']));
    expect(none.map(({ name }): string => name).toSorted()).toEqual(NAMES.toSorted());
    const both = await allPages(DEVICES, update(['QUEUED', 'NONE']));
    expect(both).toHaveLength(NAMES.length + 1);
    expect(await allPages(DEVICES, update(null))).toHaveLength(NAMES.length + 1);
    expect(codeOf(await ours.admin.send(DEVICES, update([])))).toBe('VALIDATION');
  });

  it('are ordered by the time in their state, the longest first', async () => {
    const states = ['NONE', 'QUEUED'];
    for (const filter of [{}, { update: { type: 'FIRMWARE', states } }]) {
      const listed = (await allPages(DEVICES, { filter, orderBy: 'TIME_IN_STATE' })).map(({ id }) => id);
      const rows = await server.query<{ id: string }>(
        `SELECT device_id AS id FROM slot WHERE tenant_id = $1::uuid AND type = 'FIRMWARE' ORDER BY state_at, device_id`,
        [ours.tenantId],
      );
      expect(listed).toEqual(rows.map(({ id }) => id));
    }
  });

  it('are ordered by when they were seen last, those never seen at the end by name', async () => {
    const seen = ['gamma', 'alpha', 'zeta', 'beta'];
    for (const [index, name] of seen.entries()) {
      await server.query(
        `INSERT INTO device_seen (device_id, tenant_id, seen_at)
         SELECT id, tenant_id, $2 FROM device WHERE name = $1 AND device_profile_id = $3::uuid`,
        [name, new Date(Date.UTC(2026, 0, 10 - index)), otherProfileId],
      );
    }
    const unseen = (await names({})).filter((name) => !seen.includes(name));
    expect(await names({}, 'LAST_SEEN')).toEqual([...seen, ...unseen]);
  });

  it('come once each though others are added and deleted meanwhile', async () => {
    const first = (await ours.admin.ask(DEVICES, { filter: { search: 'walk' }, first: 2 }))['devices'];
    expect(first.edges).toEqual([]);
    for (const name of ['walk b', 'walk d', 'walk f']) {
      await ours.admin.act(document('CreateDevice'), { name, deviceProfileId: otherProfileId });
    }
    const page = (await ours.admin.ask(DEVICES, { filter: { search: 'walk' }, first: 2 }))['devices'];
    expect(page.edges.map(({ node }: any) => node.name)).toEqual(['walk b', 'walk d']);
    // The row of the cursor goes, one comes before it, one after it.
    const gone = 'mutation ($id: ID!) { deleteDevice(id: $id) { __typename } }';
    await ours.admin.ask(gone, { id: page.edges[1].node.id });
    for (const name of ['walk a', 'walk e']) {
      await ours.admin.act(document('CreateDevice'), { name, deviceProfileId: otherProfileId });
    }
    const rest = await ours.admin.ask(DEVICES, { filter: { search: 'walk' }, after: page.pageInfo.endCursor });
    expect(rest['devices'].edges.map(({ node }: any) => node.name)).toEqual(['walk e', 'walk f']);
  });

  it.each([0, -1, 201, 2_000_000_000])('refuse a page of %d', async (first) => {
    expect(codeOf(await ours.admin.send(DEVICES, { first }))).toBe('VALIDATION');
  });

  it.each([
    'nonsense',
    '',
    Buffer.from('["NAME"]').toString('base64url'),
    Buffer.from(`["NAME","\\u0000","${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}"]`).toString('base64url'),
    Buffer.from('{"NAME":1}').toString('base64url'),
    Buffer.from('["NAME","a","not-an-id"]').toString('base64url'),
    Buffer.from(`["TIME_IN_STATE","not a time","${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}"]`).toString(
      'base64url',
    ),
  ])('refuse the cursor %j', async (after) => {
    for (const orderBy of ['NAME', 'TIME_IN_STATE', 'LAST_SEEN']) {
      expect(codeOf(await ours.admin.send(DEVICES, { after, orderBy }))).toBe('VALIDATION');
    }
  });

  it("of a customer's user come in every order", async () => {
    const next = await neighbour(server, ours, 'next');
    for (const orderBy of ['NAME', 'TIME_IN_STATE', 'LAST_SEEN']) {
      const { devices } = await next.customerUser.ask(DEVICES, { orderBy });
      expect(devices.edges.map(({ node }: any) => node.id)).toEqual([next.deviceId]);
      const found = await next.customerUser.ask(DEVICES, { orderBy, filter: { search: 'device' } });
      expect(found['devices'].totalCount).toBe(1);
    }
  });
});

describe('packages (P9)', () => {
  it('come newest first, once each while others are added, and are found by title, version and tag', async () => {
    const add = (title: string, its: Record<string, unknown> = {}) =>
      ours.admin.act(document('CreateOtaPackage'), {
        input: {
          title,
          version: '1',
          type: 'FIRMWARE',
          deviceProfileId: otherProfileId,
          url: 'https://example.com/f',
          ...its,
        },
      });
    await add('one', { tag: 'Stable_x' });
    await add('two', { type: 'SOFTWARE' });
    await add('three', { version: '1.10-RC' });
    await add('four');
    const list = { deviceProfileId: otherProfileId };
    const page = (await ours.admin.ask(document('OtaPackages'), { ...list, first: 2 }))['otaPackages'];
    expect(page).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true } });
    await add('five');
    const rest = (await ours.admin.ask(document('OtaPackages'), { ...list, after: page.pageInfo.endCursor }))[
      'otaPackages'
    ];
    const titles = [...page.edges, ...rest.edges].map(({ node }: any) => node.title);
    expect(titles).toEqual(['four', 'three', 'two', 'one']);

    const found = async (search: Record<string, unknown>) =>
      (await ours.admin.ask(document('OtaPackages'), { ...list, ...search }))['otaPackages'].edges.map(
        ({ node }: any) => node.title,
      );
    expect(await found({ search: 'stable_' })).toEqual(['one']);
    expect(await found({ search: 'stable%' })).toEqual([]);
    expect(await found({ search: '1.10-rc' })).toEqual(['three']);
    expect(await found({ search: 'TWO' })).toEqual(['two']);
    expect(await found({ type: 'SOFTWARE' })).toEqual(['two']);
  });

  it('are taken back by their description alone (P7)', async () => {
    const update =
      'mutation ($input: UpdateOtaPackageInput!) { updateOtaPackage(input: $input) { ... on OtaPackage { description } ... on Error { code } } }';
    const described = await ours.admin.act(update, { input: { id: ours.packageId, description: 'For pumps.' } });
    expect(described).toEqual({ description: 'For pumps.' });
    expect(await ours.admin.act(update, { input: { id: ours.packageId, description: null } })).toEqual({
      description: null,
    });
    expect(await ours.admin.act(update, { input: { id: ours.packageId } })).toEqual({ code: 'VALIDATION' });
  });
});

describe('other lists', () => {
  it.each([
    ['customers', 'title', (index: number) => [document('CreateCustomer'), { title: `c${index}` }]],
    ['deviceProfiles', 'name', (index: number) => [document('CreateDeviceProfile'), { name: `p${index}` }]],
    [
      'users',
      'email',
      (index: number) => [
        document('CreateUser'),
        { email: `u${index}@x.example`, password: 'long enough', role: 'TENANT_ADMIN' },
      ],
    ],
  ] as const)('%s are paged by %s', async (field, sort, make) => {
    for (const index of [3, 1, 2]) await ours.admin.act(...(make(index) as [string, Record<string, unknown>]));
    const query = `query ($first: Int, $after: String) {
      ${field}(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { ${sort} } } }
    }`;
    const listed = (await allPages(query, {}, 2)).map((node): string => node[sort]);
    expect(listed).toEqual([...new Set(listed)].toSorted());
    expect(listed).toEqual(
      expect.arrayContaining(field === 'users' ? ['u1@x.example'] : [`${field[0] === 'c' ? 'c' : 'p'}1`]),
    );
  });

  it('a device tells each of its updates once, the newest first', async () => {
    const { deviceId, packageId } = ours;
    for (let time = 0; time < 3; time += 1) {
      await ours.admin.act(document('UnassignOtaPackage'), { type: 'FIRMWARE', deviceId });
      await ours.admin.act(document('AssignOtaPackage'), { packageId, deviceId });
    }
    const seen: any[] = [];
    let after: string | null = null;
    do {
      const { device }: Record<string, any> = await ours.admin.ask(document('DeviceHistory'), {
        id: deviceId,
        type: 'FIRMWARE',
        first: 3,
        after,
      });
      expect(device.updates.totalCount).toBe(4);
      seen.push(...device.updates.edges.map(({ node }: any) => node));
      after = device.updates.pageInfo.hasNextPage ? device.updates.pageInfo.endCursor : null;
    } while (after !== null);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(4);
    const queued = seen.map(({ queuedAt }): string => queuedAt);
    expect(queued).toEqual(queued.toSorted().toReversed());
  });

  it('reads the histories of many devices in few statements', async () => {
    const query = `{ devices(first: 20) { edges { node {
      updates(type: FIRMWARE, first: 2) { totalCount edges { node { id package { title } events { state } } } }
      target(type: FIRMWARE) { title package { id } } deviceProfile { name } customer { title }
    } } } }`;
    const sent = vi.spyOn(Client.prototype, 'query');
    const { devices } = await ours.admin.ask(query);
    const statements = sent.mock.calls.length;
    sent.mockRestore();
    expect(devices.edges.length).toBeGreaterThan(10);
    expect(statements).toBeGreaterThan(5);
    expect(statements).toBeLessThan(20);
  });
});
