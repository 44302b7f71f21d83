/** U14, S3: subscriptions on real sockets, as they go on, resume and end. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Client } from 'graphql-ws';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { recordEntityChange } from '../../server/domain/log.ts';
import { document } from '../support/contract.ts';
import type { GraphqlClient } from '../support/graphql.ts';
import { ADMIN, managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { Subscription } from '../support/subscription.ts';
import { CREATE_API_KEY, tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

const EVENTS = document('UpdateEvents');
const UNREAD_MAX = 200_000;

let server: ManagementServer;
let ours: Tenancy;
let sockets: Client[] = [];

beforeAll(async () => {
  server = await managementServer({
    limits: { subscriberUnreadBytesMax: UNREAD_MAX, subscriptionsPerSocketMax: 3, socketInitMs: 300 },
  });
  ours = await tenancy(server, 'ours');
});

afterEach(async () => {
  await Promise.all(sockets.map(async (socket) => socket.dispose()));
  sockets = [];
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

function socketOf(client: GraphqlClient): Client {
  const socket = client.socket();
  sockets.push(socket);
  return socket;
}

async function listen(variables: Record<string, unknown> = {}, client = ours.admin): Promise<[Subscription, string]> {
  const events = new Subscription(socketOf(client), EVENTS, variables);
  const { cursor, events: none } = await events.next();
  expect(none).toEqual([]);
  return [events, cursor];
}

/** Two events, as the device is given its package and loses it. */
async function stir(times = 1): Promise<void> {
  const { packageId, deviceId } = ours;
  for (let time = 0; time < times; time += 1) {
    await ours.admin.act(document('UnassignOtaPackage'), { type: 'FIRMWARE', deviceId });
    await ours.admin.act(document('AssignOtaPackage'), { packageId, deviceId });
  }
}

/** As they stand in the log: what every subscriber must be told, once, in order. */
async function logged(afterSeq: number): Promise<string[]> {
  const rows = await server.query<{ entry: string }>(
    `SELECT update_id || ' ' || revision AS entry FROM update_event
     WHERE seq > $1 AND tenant_id = $2::uuid ORDER BY seq`,
    [afterSeq, ours.tenantId],
  );
  return rows.map(({ entry }) => entry);
}

async function newest(): Promise<number> {
  const [row] = await server.query<{ seq: number }>(
    'SELECT coalesce(max(seq), 0)::float8 AS seq FROM update_event',
    [],
  );
  return row!.seq;
}

function entriesOf(batches: readonly Record<string, any>[]): string[] {
  return batches.flatMap(({ events }) => events.map(({ update }: any) => `${update.id} ${update.revision}`));
}

/** Takes batches until `count` events are there. */
async function take(subscription: Subscription, count: number): Promise<Record<string, any>[]> {
  const batches: Record<string, any>[] = [];
  while (entriesOf(batches).length < count) batches.push(await subscription.next());
  return batches;
}

describe('updateEvents', () => {
  it('gives a cursor at once, then what is committed', async () => {
    const seq = await newest();
    const [events] = await listen();
    await stir();
    expect(entriesOf(await take(events, 2))).toEqual(await logged(seq));
  });

  it('resumes at every cursor without gap or repetition (U14)', async () => {
    const seq = await newest();
    const [events, cursor] = await listen();
    await stir(5);
    const batches = await take(events, 10);
    const all = await logged(seq);
    expect(entriesOf(batches)).toEqual(all);
    const cursors = [cursor, ...batches.map((batch) => batch['cursor'] as string)];
    for (const [index, after] of cursors.entries()) {
      using resumed = new Subscription(socketOf(ours.admin), EVENTS, { after });
      const missed = entriesOf(batches.slice(index));
      const first = await resumed.next();
      const rest =
        entriesOf([first]).length < missed.length ? await take(resumed, missed.length - entriesOf([first]).length) : [];
      expect(entriesOf([first, ...rest])).toEqual(missed);
    }
  });

  it('resumes while events pour in (U14)', async () => {
    const seq = await newest();
    let [events, cursor] = await listen();
    const pouring = stir(30);
    const seen: string[] = [];
    while (seen.length < 60) {
      const batch = await events.next();
      seen.push(...entriesOf([batch]));
      cursor = batch['cursor'];
      // Away after each batch, and back with its cursor.
      events[Symbol.dispose]();
      events = new Subscription(socketOf(ours.admin), EVENTS, { after: cursor });
    }
    await pouring;
    expect(seen).toEqual(await logged(seq));
  });

  it('filters by type, device and profile', async () => {
    const { deviceId, deviceProfileId } = ours;
    const [ofDevice] = await listen({ deviceId });
    const [ofProfile] = await listen({ deviceProfileId, type: 'FIRMWARE' });
    const [ofSoftware] = await listen({ type: 'SOFTWARE' });
    const [ofOther] = await listen({ deviceId: ours.customerId });
    await stir();
    expect(await take(ofDevice, 2)).not.toEqual([]);
    expect(await take(ofProfile, 2)).not.toEqual([]);
    expect([ofSoftware.pending, ofOther.pending]).toEqual([0, 0]);
  });

  it.each([
    ['of another log', () => Buffer.from('00000000-0000-0000-0000-000000000000 1').toString('base64url')],
    ['that is none', () => 'nonsense'],
    ['that is empty', () => ''],
  ])('ends a cursor %s with CURSOR_EXPIRED', async (_what, after) => {
    const events = new Subscription(socketOf(ours.admin), EVENTS, { after: after() });
    expect(await events.end()).toBe('CURSOR_EXPIRED');
  });

  it('shows an update as it was at each event, though it has moved on', async () => {
    const [events] = await listen();
    await stir(2);
    const updates = (await take(events, 4)).flatMap((batch) => batch['events'].map((event: any) => event));
    for (const event of updates) expect(event.update.state).toBe(event.state);
    expect(updates.map(({ state, update }) => [state, update.revision, update.result])).toEqual([
      ['CANCELED', 2, 'UNASSIGNED'],
      ['QUEUED', 1, null],
      ['CANCELED', 2, 'UNASSIGNED'],
      ['QUEUED', 1, null],
    ]);
  });
});

describe('many subscribers', () => {
  it('to the same events cost one execution, wherever they began, and those with other rights one of their own', async () => {
    const [, cursor] = await listen();
    const watchers = [
      ...Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? {} : { after: cursor })).map(
        (variables) => new Subscription(socketOf(ours.admin), EVENTS, variables),
      ),
      new Subscription(socketOf(ours.customerUser), EVENTS),
    ];
    await Promise.all(watchers.map((watcher) => watcher.next()));
    // Once more, so that all are at the same place of the log.
    await stir();
    await Promise.all(watchers.map((watcher) => take(watcher, 2)));
    const seq = await newest();
    const sent = vi.spyOn(pg.Client.prototype, 'query');
    await stir();
    const taken = await Promise.all(watchers.map((watcher) => take(watcher, 2)));
    const reads = sent.mock.calls.filter(([statement]) =>
      (statement as { text?: string }).text?.includes('FROM "public"."update" '),
    );
    sent.mockRestore();
    const all = await logged(seq);
    for (const batches of taken) expect(entriesOf(batches)).toEqual(all);
    expect(reads.length).toBeGreaterThan(0);
    // One by one it would be at least as many as there are watchers.
    expect(reads.length).toBeLessThan(watchers.length);
  });
});

describe('fleetSummaryChanged', () => {
  it('tells at once, then of changes alone, at most ten times a second', async () => {
    const summary = new Subscription(socketOf(ours.admin), document('FleetSummaryChanged'), { type: 'FIRMWARE' });
    const first = await summary.next();
    expect(first['deviceCount']).toBe(1);
    // The log grows, the counters do not.
    await ours.admin.act(document('CreateCustomer'), { title: 'no device' });
    const began = performance.now();
    const names = Array.from({ length: 12 }, (_, index) => `fleet ${index}`);
    for (const name of names)
      await ours.admin.act(document('CreateDevice'), { name, deviceProfileId: ours.deviceProfileId });
    const values = await summary.until(({ deviceCount }) => deviceCount === 13);
    const seconds = (performance.now() - began) / 1000;
    expect(values.length).toBeLessThanOrEqual(Math.ceil(seconds * 10) + 1);
    const counts = values.map(({ deviceCount }) => deviceCount);
    expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b));
    expect(counts[0]).toBeGreaterThan(1);
  });
});

describe('a subscription ends (S3)', () => {
  it('with the session', async () => {
    const session = await server.nobody.login(ADMIN.email, ADMIN.password);
    const events = new Subscription(socketOf(session), EVENTS);
    const summary = new Subscription(socketOf(session), document('FleetSummaryChanged'), { type: 'FIRMWARE' });
    await Promise.all([events.next(), summary.next()]);
    await session.ask('mutation { logout { __typename } }');
    expect(await events.end()).toBe('UNAUTHENTICATED');
    expect(await summary.end()).toBe('UNAUTHENTICATED');
  });

  it('with the key', async () => {
    const { id, token } = await ours.admin.act(CREATE_API_KEY, { name: 'short-lived' });
    const events = new Subscription(socketOf(server.nobody.as(token)), EVENTS);
    await events.next();
    await ours.admin.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }', { id });
    expect(await events.end()).toBe('UNAUTHENTICATED');
  });

  it('when the key expires', async () => {
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const { token } = await ours.admin.act(CREATE_API_KEY, { name: 'expiring', expiresAt });
    const events = new Subscription(socketOf(server.nobody.as(token)), EVENTS);
    await events.next();
    expect(await events.end()).toBe('UNAUTHENTICATED');
  });

  it('when the role changes', async () => {
    const events = new Subscription(socketOf(ours.customerUser), EVENTS);
    await events.next();
    await server.transact(async (query) => {
      const [user] = await query<{ id: string }>(
        `UPDATE "user" SET role = 'TENANT_ADMIN', customer_id = NULL WHERE email = 'user@ours.example' RETURNING id`,
        [],
      );
      await recordEntityChange(query, { tenantId: ours.tenantId, type: 'USER', entityId: user!.id });
    });
    expect(await events.end()).toBe('UNAUTHENTICATED');
  });

  it('for a reader who does not read, with SLOW_CONSUMER, and resumes', async () => {
    const seq = await newest();
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    const messages: any[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString('utf8'))));
    const send = (message: object): void => socket.send(JSON.stringify(message));
    send({ type: 'connection_init', payload: ours.admin.headers() });
    // Answers so large that what the kernel holds between us is soon full.
    const query = `subscription { updateEvents { cursor events { update { id revision package { description ${Array.from(
      { length: 25 },
      (_, index) => `d${index}: description`,
    ).join(' ')} } } } } }`;
    await ours.admin.ask(
      'mutation ($input: UpdateOtaPackageInput!) { updateOtaPackage(input: $input) { __typename } }',
      { input: { id: ours.packageId, description: 'x'.repeat(4_000) } },
    );
    send({ type: 'subscribe', id: '1', payload: { query } });
    await vi.waitFor(() => expect(messages.some(({ type }) => type === 'next')).toBe(true));
    socket.pause();
    await stir(60);
    socket.resume();
    await vi.waitFor(() => expect(messages.at(-1)).toMatchObject({ type: 'error', id: '1' }), { timeout: 10_000 });
    expect(messages.at(-1).payload[0].extensions.code).toBe('SLOW_CONSUMER');

    const batches = messages.filter(({ type }) => type === 'next').map(({ payload }) => payload.data.updateEvents);
    const resumed = new Subscription(socketOf(ours.admin), EVENTS, { after: batches.at(-1).cursor });
    const all = await logged(seq);
    const seen = entriesOf(batches);
    expect(seen.length).toBeLessThan(all.length);
    expect([...seen, ...entriesOf(await take(resumed, all.length - seen.length))]).toEqual(all);
    socket.terminate();
  }, 60_000);

  it('at once for a reader who leaves while nothing happens, and nothing is left behind', async () => {
    const spy = vi.spyOn(server.eventLog, 'listen');
    const stopped: unknown[] = [];
    spy.mockImplementation((listener) => {
      spy.mockRestore();
      const stop = server.eventLog.listen(listener);
      return () => void stopped.push(stop());
    });
    const [events] = await listenOnce();
    events[Symbol.dispose]();
    await vi.waitFor(() => expect(stopped.length).toBeGreaterThan(0));
  });
});

async function listenOnce(): Promise<[Subscription]> {
  const events = new Subscription(socketOf(ours.admin), EVENTS);
  await events.next();
  return [events];
}

describe('a socket', () => {
  it('of nobody gets UNAUTHENTICATED for each operation', async () => {
    expect(await new Subscription(socketOf(server.nobody), EVENTS).end()).toBe('UNAUTHENTICATED');
    expect(await new Subscription(socketOf(server.nobody.as('no such token')), EVENTS).end()).toBe('UNAUTHENTICATED');
  });

  it('holds a limited number of operations', async () => {
    const socket = socketOf(ours.admin);
    const held = [1, 2, 3].map(() => new Subscription(socket, EVENTS));
    await Promise.all(held.map((events) => events.next()));
    expect(await new Subscription(socket, EVENTS).end()).toBe('VALIDATION');
    held[0]![Symbol.dispose]();
    await vi.waitFor(async () => {
      using again = new Subscription(socket, EVENTS);
      await again.next();
    });
  });

  it('answers queries and mutations too', async () => {
    const socket = socketOf(ours.admin);
    const answer = new Subscription(socket, document('FleetSummary'), { type: 'FIRMWARE' });
    expect(await answer.next()).toMatchObject({ deviceCount: expect.any(Number) });
    const act = new Subscription(socket, document('CreateCustomer'), { title: 'over a socket' });
    expect(await act.next()).toMatchObject({ __typename: 'Customer' });
  });

  it('that says nothing is closed', async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(4408);
  });

  it('with a message that is too large, or is none, is closed, and the server goes on', async () => {
    for (const [text, expected] of [
      ['x'.repeat(2_000_000), 1009],
      ['{"type":', 4400],
    ] as const) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
      await once(socket, 'open');
      socket.send(text);
      const [code] = (await once(socket, 'close')) as [number];
      expect(code).toBe(expected);
    }
    await listenOnce();
  });

  it.each([
    ['https://evil.example', 403],
    ['null', 403],
    ['SELF', 101],
  ])('opened by a page of %s is answered %d', async (origin, expected) => {
    const sent = httpRequest(`${server.url}/graphql`, {
      headers: {
        origin: origin === 'SELF' ? server.url : origin,
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'graphql-transport-ws',
      },
    }).end();
    const [response] = (await Promise.race([once(sent, 'response'), once(sent, 'upgrade')])) as [IncomingMessage];
    expect(response.statusCode).toBe(expected);
    sent.destroy();
  });
});
