/** Who may do what: every act of the API, by everybody, against everybody's things. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS, reachOf } from '../../server/domain/access.ts';
import type { Act } from '../../server/domain/access.ts';
import { ACTS } from '../support/acts.ts';
import { document } from '../support/contract.ts';
import { codeOf, firstOf } from '../support/graphql.ts';
import type { GraphqlClient } from '../support/graphql.ts';
import { managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { Subscription } from '../support/subscription.ts';
import { neighbour, tenancy } from '../support/tenancy.ts';
import type { Tenancy, Things } from '../support/tenancy.ts';

const acts = Object.keys(ACCESS) as Act[];

/** Acts that name a thing, and what is said of one that is not the asker's. */
const NAMING = acts.filter((act) => Object.values(ACTS[act].variables(MARKED())).some((value) => isMarked(value)));

let server: ManagementServer;
let ours: Tenancy;
let theirs: Tenancy;
let next: Things & { customerUser: GraphqlClient };

beforeAll(async () => {
  server = await managementServer();
  ours = await tenancy(server, 'ours');
  theirs = await tenancy(server, 'theirs');
  next = await neighbour(server, ours, 'next');
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

describe('without signing in', () => {
  it.each(acts.filter((act) => act !== 'login'))('%s is UNAUTHENTICATED', async (act) => {
    expect(await outcome(server.nobody, act, ours)).toBe('UNAUTHENTICATED');
    expect(await outcome(server.nobody.as('no such token'), act, ours)).toBe('UNAUTHENTICATED');
  });
});

describe('a user of a customer (A8)', () => {
  const viewer = { role: 'CUSTOMER_USER' } as Parameters<typeof reachOf>[0];
  const forbidden = acts.filter((act) => reachOf(viewer, act) === 'NONE');

  it('may look, and assign to own devices', () => {
    expect(acts.filter((act) => !forbidden.includes(act))).toEqual([
      'login',
      'logout',
      'viewer',
      'apiKeys',
      'createApiKey',
      'revokeApiKey',
      'customers',
      'customer',
      'deviceProfiles',
      'deviceProfile',
      'devices',
      'device',
      'otaPackages',
      'otaPackage',
      'assignments',
      'assignment',
      'assignOtaPackage',
      'unassignOtaPackage',
      'fleetSummary',
      'fleetSummaryChanged',
      'updateEvents',
    ]);
  });

  it.each(forbidden)('%s is FORBIDDEN', async (act) => {
    expect(await outcome(ours.customerUser, act, ours)).toBe('FORBIDDEN');
  });

  it.each(NAMING.filter((act) => !forbidden.includes(act) && !['deviceProfile', 'otaPackage'].includes(act)))(
    "%s does not know another customer's things (S1)",
    async (act) => {
      expect(await outcome(ours.customerUser, act, next)).toMatch(/^(NOT_FOUND|null)$/);
    },
  );

  it('does not assign to a profile', async () => {
    const { packageId, deviceProfileId } = ours;
    const assigned = await ours.customerUser.act(document('AssignOtaPackage'), { packageId, deviceProfileId });
    expect(assigned).toMatchObject({ code: 'FORBIDDEN' });
    const unassigned = await ours.customerUser.act(document('UnassignOtaPackage'), {
      type: 'FIRMWARE',
      deviceProfileId,
    });
    expect(unassigned).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('assigns to an own device, and finds it in its lists and counts alone', async () => {
    const { packageId, deviceId } = ours;
    const assigned = await ours.customerUser.act(document('AssignOtaPackage'), { packageId, deviceId });
    expect(assigned).toMatchObject({ __typename: 'Assignment', device: { id: deviceId } });

    const { devices } = await ours.customerUser.ask(document('Devices'), { type: 'FIRMWARE' });
    expect(devices.edges.map(({ node }: any) => node.id)).toEqual([deviceId]);
    expect(devices.totalCount).toBe(1);
    const { fleetSummary } = await ours.customerUser.ask(document('FleetSummary'), { type: 'FIRMWARE' });
    expect(fleetSummary.deviceCount).toBe(1);
    const { assignments } = await ours.customerUser.ask(document('Assignments'));
    expect(new Set(assignments.edges.map(({ node }: any) => node.device.id))).toEqual(new Set([deviceId]));
    const { customers } = await ours.customerUser.ask(ACTS.customers.document);
    expect(customers.edges.map(({ node }: any) => node.id)).toEqual([ours.customerId]);
  });

  it('is not told who of the tenant assigned a package', async () => {
    const { assignments } = await next.customerUser.ask(document('Assignments'));
    expect(assignments.edges.map(({ node }: any) => node.createdBy)).toEqual([null]);
    const everything = await ours.admin.ask(document('Assignments'));
    expect(everything.assignments.edges.every(({ node }: any) => node.createdBy !== null)).toBe(true);
  });

  it('hears of own devices alone', async () => {
    const [mine, others] = [ours.customerUser.socket(), ours.admin.socket()];
    using heard = new Subscription(mine, document('UpdateEvents'));
    using all = new Subscription(others, document('UpdateEvents'));
    await Promise.all([heard.next(), all.next()]);
    for (const deviceId of [next.deviceId, ours.deviceId]) {
      await ours.admin.act(document('UnassignOtaPackage'), { type: 'FIRMWARE', deviceId });
    }
    const devices = (batch: Record<string, any>): string[] => batch.events.map(({ device }: any) => device.id);
    expect(devices(await heard.next())).toEqual([ours.deviceId]);
    const everything = await all.until((batch) => devices(batch).includes(ours.deviceId));
    expect(everything.flatMap(devices)).toEqual([next.deviceId, ours.deviceId]);
    await Promise.all([mine.dispose(), others.dispose()]);
  });
});

describe('an administrator', () => {
  it.each(NAMING)("%s does not know another tenant's things (S1)", async (act) => {
    expect(await outcome(ours.admin, act, theirs)).toMatch(/^(NOT_FOUND|null)$/);
  });

  it.each(NAMING)('%s takes what is no id for an id that nobody has', async (act) => {
    const nonsense = Object.fromEntries(Object.keys(ours).map((name) => [name, "' OR true --"])) as unknown as Things;
    expect(await outcome(ours.admin, act, nonsense)).toMatch(/^(NOT_FOUND|null)$/);
  });

  // The audit log tells what an administrator asked for, also where that was another's.
  it("lists nothing of another tenant's", async () => {
    const foreign = new Set(Object.values(theirs).filter((value) => typeof value === 'string'));
    for (const act of acts.filter((name) => ACTS[name].kind === 'query' && name !== 'auditLog')) {
      const answer = JSON.stringify(await ours.admin.send(ACTS[act].document, ACTS[act].variables(ours)));
      for (const id of foreign) expect(answer).not.toContain(id);
    }
  });
});

/** The code of the refusal, or what was answered instead. */
async function outcome(client: GraphqlClient, act: Act, things: Things): Promise<string> {
  const { kind, document: text, variables } = ACTS[act];
  if (kind === 'subscription') {
    const socket = client.socket();
    using subscription = new Subscription(socket, text, variables(things));
    return await subscription.end().finally(() => void socket.dispose());
  }
  const answer = await client.send(text, variables(things));
  if (answer.errors !== undefined) return codeOf(answer) ?? JSON.stringify(answer.errors);
  const result = firstOf(answer.data ?? {});
  return kind === 'mutation' ? (result.code ?? result.__typename) : JSON.stringify(result);
}

function MARKED(): Things {
  const mark = 'MARK';
  return {
    customerId: mark,
    deviceProfileId: mark,
    deviceId: mark,
    packageId: mark,
    assignmentId: mark,
    apiKeyId: mark,
  };
}

function isMarked(value: unknown): boolean {
  return (JSON.stringify(value) ?? '').includes('MARK');
}
