/** Every document of the contract, run for real, over HTTP and a socket. */
import { createHash } from 'node:crypto';
import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../server/graphql/schema.ts';
import { contract, document } from '../support/contract.ts';
import type { GraphqlClient } from '../support/graphql.ts';
import { ADMIN, managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { Subscription } from '../support/subscription.ts';

const STATES = [
  'NONE',
  'QUEUED',
  'INITIATED',
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
  'UPDATED',
  'FAILED',
  'CANCELED',
];

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server: ManagementServer;
let admin: GraphqlClient;

beforeAll(async () => {
  server = await managementServer();
  admin = server.admin;
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

describe('the contract', () => {
  it.each([...contract])('%s is valid against the schema', (_name, text) => {
    expect(validate(schema, parse(text))).toEqual([]);
  });

  it('carries a package from sign-in to every device', async () => {
    const session = await server.nobody.act(document('Login'), ADMIN);
    expect(session).toMatchObject({
      __typename: 'Session',
      token: expect.stringMatching(/^[\w-]{32,}$/),
      expiresAt: expect.stringMatching(INSTANT),
      viewer: { email: ADMIN.email, role: 'TENANT_ADMIN', tenant: { name: 'Default' }, customer: null },
    });

    const customer = await admin.act(document('CreateCustomer'), { title: 'Ada Farms' });
    expect(customer).toMatchObject({ __typename: 'Customer', title: 'Ada Farms' });
    const user = await admin.act(document('CreateUser'), {
      email: 'Grower@Example.com',
      password: 'a long password',
      role: 'CUSTOMER_USER',
      customerId: customer.id,
    });
    expect(user).toMatchObject({ __typename: 'User', email: 'grower@example.com', role: 'CUSTOMER_USER' });

    const profile = await admin.act(document('CreateDeviceProfile'), { name: 'Pump' });
    const devices = [];
    for (const name of ['pump-1', 'pump-2']) {
      devices.push(
        await admin.act(document('CreateDevice'), { name, deviceProfileId: profile.id, customerId: customer.id }),
      );
    }
    expect(devices[0]).toMatchObject({
      __typename: 'Device',
      name: 'pump-1',
      accessToken: expect.stringMatching(/^[\w-]{20,}$/),
      deviceProfile: { id: profile.id, name: 'Pump' },
      customer: { id: customer.id, title: 'Ada Farms' },
    });

    const socket = admin.socket();
    using events = new Subscription(socket, document('UpdateEvents'));
    using summary = new Subscription(socket, document('FleetSummaryChanged'), { type: 'FIRMWARE' });
    expect(await events.next()).toEqual({ cursor: expect.any(String), events: [] });
    expect(await summary.next()).toMatchObject({
      deviceCount: 2,
      states: expect.arrayContaining([{ state: 'NONE', count: 2 }]),
    });

    const bytes = new TextEncoder().encode('the bytes of the pump');
    const checksum = createHash('sha256').update(bytes).digest('hex');
    const otaPackage = await admin.uploaded(
      document('CreateOtaPackage'),
      { input: { title: 'pump', version: '1.10', type: 'FIRMWARE', deviceProfileId: profile.id, tag: 'stable' } },
      { name: 'pump.bin', bytes, type: 'application/x-firmware' },
    );
    expect(otaPackage).toEqual({
      __typename: 'OtaPackage',
      id: expect.any(String),
      title: 'pump',
      version: '1.10',
      tag: 'stable',
      type: 'FIRMWARE',
      description: null,
      fileName: 'pump.bin',
      contentType: 'application/x-firmware',
      dataSize: bytes.length,
      checksumAlgorithm: 'SHA256',
      checksum,
      url: null,
      createdAt: expect.stringMatching(INSTANT),
      deviceProfile: { id: profile.id, name: 'Pump' },
    });
    const listed = await admin.ask(document('OtaPackages'), { search: 'PUM' });
    expect(listed.otaPackages).toMatchObject({ totalCount: 1, pageInfo: { hasNextPage: false } });
    expect(listed.otaPackages.edges[0].node).toMatchObject({ id: otaPackage.id, checksum, dataSize: bytes.length });

    const assigned = { packageId: otaPackage.id, deviceProfileId: profile.id };
    const assignment = await admin.act(document('AssignOtaPackage'), assigned);
    expect(assignment).toMatchObject({
      __typename: 'Assignment',
      package: { id: otaPackage.id, title: 'pump', version: '1.10', type: 'FIRMWARE' },
      deviceProfile: { id: profile.id },
      device: null,
      deviceCount: 0,
    });
    await server.carryOut();

    const batches = await events.until(({ events: news }) => news.some((event: any) => event.state === 'INITIATED'));
    const seen = batches.flatMap((batch) => batch.events);
    while (seen.length < 4) seen.push(...(await events.next()).events);
    expect(seen.map(({ state }) => state)).toEqual(['QUEUED', 'QUEUED', 'INITIATED', 'INITIATED']);
    expect(seen[0]).toMatchObject({
      error: null,
      at: expect.stringMatching(INSTANT),
      receivedAt: expect.stringMatching(INSTANT),
      device: { id: expect.any(String), name: expect.stringMatching(/^pump-/) },
      // As of the event, though the update has moved on since.
      update: {
        revision: 1,
        state: 'QUEUED',
        result: null,
        bytesServed: 0,
        bytesTotal: bytes.length,
        package: { id: otaPackage.id },
      },
    });
    await summary.until(({ states }) => states.some((one: any) => one.state === 'INITIATED' && one.count === 2));

    const fleet = await admin.ask(document('FleetSummary'), { type: 'FIRMWARE', deviceProfileId: profile.id });
    expect(fleet.fleetSummary.deviceCount).toBe(2);
    expect(fleet.fleetSummary.states.map(({ state }: any) => state)).toEqual(STATES);

    const page = (await admin.ask(document('Devices'), { type: 'FIRMWARE', states: ['INITIATED'], search: 'UMP-1' }))
      .devices;
    expect(page).toMatchObject({ totalCount: 1, pageInfo: { hasNextPage: false } });
    expect(page.edges[0].node).toEqual({
      id: devices[0]!.id,
      name: 'pump-1',
      lastSeenAt: null,
      current: null,
      target: { title: 'pump', version: '1.10', source: 'DEVICE_PROFILE' },
      update: {
        id: expect.any(String),
        state: 'INITIATED',
        result: null,
        error: null,
        bytesServed: 0,
        bytesTotal: bytes.length,
        queuedAt: expect.stringMatching(INSTANT),
        updatedAt: expect.stringMatching(INSTANT),
      },
    });

    const progress = (await admin.ask(document('Assignments'), { packageId: otaPackage.id })).assignments;
    expect(progress.edges[0].node).toMatchObject({
      id: assignment.id,
      endedAt: null,
      createdBy: { email: ADMIN.email },
    });
    expect(progress.edges[0].node.progress).toEqual(
      STATES.map((state) => ({ state, count: state === 'INITIATED' ? 2 : 0 })),
    );

    const refused = await admin.act(document('DeleteOtaPackage'), { id: otaPackage.id });
    expect(refused).toMatchObject({ __typename: 'InUseError', code: 'IN_USE' });

    const ended = await admin.act(document('UnassignOtaPackage'), { type: 'FIRMWARE', deviceProfileId: profile.id });
    expect(ended).toMatchObject({
      __typename: 'Assignment',
      id: assignment.id,
      endedAt: expect.stringMatching(INSTANT),
    });
    await server.carryOut();

    const { device } = await admin.ask(document('DeviceHistory'), { id: devices[0]!.id, type: 'FIRMWARE' });
    expect(device.updates).toMatchObject({ totalCount: 1, pageInfo: { hasNextPage: false } });
    expect(device.updates.edges[0].node).toMatchObject({
      state: 'CANCELED',
      result: 'UNASSIGNED',
      package: { version: '1.10' },
    });
    expect(device.updates.edges[0].node.events.map(({ state }: any) => state)).toEqual([
      'QUEUED',
      'INITIATED',
      'CANCELED',
    ]);

    const deleted = await admin.act(document('DeleteOtaPackage'), { id: otaPackage.id });
    expect(deleted).toEqual({ __typename: 'DeletedOtaPackage', id: otaPackage.id });

    const { auditLog } = await admin.ask(document('AuditLog'), { first: 3 });
    expect(auditLog.edges.map(({ node }: any) => [node.action, node.outcome, node.entityId, node.actor.email])).toEqual(
      [
        ['deleteOtaPackage', 'SUCCEEDED', otaPackage.id, ADMIN.email],
        ['unassignOtaPackage', 'SUCCEEDED', assignment.id, ADMIN.email],
        ['deleteOtaPackage', 'REFUSED', otaPackage.id, ADMIN.email],
      ],
    );
    await socket.dispose();
  });
});
