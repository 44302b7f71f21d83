/** W4 on the management side: documents and requests that are too deep, too large or not allowed, over HTTP and WebSocket alike. */
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../server/config.ts';
import { schema } from '../../server/graphql/schema.ts';
import { Documents } from '../../server/graphql/documents.ts';
import { contract } from '../support/contract.ts';
import { codeOf } from '../support/graphql.ts';
import type { GraphqlAnswer, GraphqlClient } from '../support/graphql.ts';
import { managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

let server: ManagementServer;
let ours: Tenancy;

beforeAll(async () => {
  server = await managementServer();
  ours = await tenancy(server, 'ours');
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

const DEEP = `{ devices(first: 1) { edges { node { updates(type: FIRMWARE, first: 1) { edges { node { ${'events { update { '.repeat(5)} id ${'} }'.repeat(5)} } } } } } } }`;
const ALIASES = `{ ${Array.from({ length: 31 }, (_, index) => `a${index}: __typename`).join(' ')} }`;
const TOKENS = `{ viewer { ${'id '.repeat(2_000)} } }`;
const COSTLY =
  '{ devices(first: 200) { edges { node { updates(type: FIRMWARE, first: 200) { edges { node { id } } } } } } }';
/** Each fragment spreads the next twice: 2^25 fields in a few lines. */
const DOUBLING = `{ viewer { ...F0 } } ${Array.from({ length: 25 }, (_, index) => `fragment F${index} on User { ...F${index + 1} ...F${index + 1} }`).join(' ')} fragment F25 on User { id }`;
const CIRCLE = '{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...A }';

const REFUSED: [string, string, string][] = [
  ['too deep', DEEP, 'TOO_LARGE'],
  ['of too many aliases', ALIASES, 'TOO_LARGE'],
  ['of too many tokens', TOKENS, 'VALIDATION'],
  ['too costly', COSTLY, 'TOO_LARGE'],
  ['that doubles with each fragment', DOUBLING, 'TOO_LARGE'],
  ['of fragments in a circle', CIRCLE, 'VALIDATION'],
  ['that does not parse', '{ viewer {', 'VALIDATION'],
  ['of a field that is none', '{ viewers { id } }', 'VALIDATION'],
];

describe.each([
  ['HTTP', (client: GraphqlClient, query: string): Promise<GraphqlAnswer> => client.send(query)],
  ['a WebSocket', overSocket],
])('over %s', (_name, send) => {
  it.each(REFUSED)('a document %s is refused', async (_what, query, code) => {
    const began = performance.now();
    expect(codeOf(await send(ours.admin, query))).toBe(code);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('introspection is for administrators alone', async () => {
    const query = getIntrospectionQuery();
    expect((await send(ours.admin, query)).data).toMatchObject({ __schema: { queryType: { name: 'Query' } } });
    expect(codeOf(await send(ours.customerUser, query))).toBe('FORBIDDEN');
    expect(codeOf(await send(server.nobody, query))).toBe('FORBIDDEN');
    expect(codeOf(await send(ours.customerUser, '{ viewer { id } __type(name: "User") { name } }'))).toBe('FORBIDDEN');
    expect((await send(ours.customerUser, '{ __typename viewer { __typename } }')).errors).toBeUndefined();
  });

  it('names that were not asked for are not told to nobody', async () => {
    const answer = await send(server.nobody, '{ viewr { id } }');
    expect(answer.errors?.[0]?.message).toMatch(/^Cannot query field "viewr" on type "Query"\.$/);
  });

  it('nothing of the inside is told', async () => {
    const answer = await send(
      ours.admin,
      '{ device(id: "\\u0000") { id } otaPackages(filter: {search: "\\u0000"}) { totalCount } }',
    );
    expect(answer.errors?.map(({ extensions }) => extensions?.code)).toEqual(['VALIDATION']);
    expect(JSON.stringify(answer)).not.toMatch(/prisma|select|stack|node_modules|invalid byte/i);
  });
});

/** A query's one answer, or the errors that it ends with. */
async function overSocket(client: GraphqlClient, query: string): Promise<GraphqlAnswer> {
  const socket = client.socket();
  try {
    return await new Promise<GraphqlAnswer>((resolve) => {
      socket.subscribe(
        { query },
        {
          next: (answer) => resolve(answer as GraphqlAnswer),
          error: (errors) => resolve({ errors: errors as NonNullable<GraphqlAnswer['errors']> }),
          complete: () => {},
        },
      );
    });
  } finally {
    await socket.dispose();
  }
}

describe('a request', () => {
  it('that is too large is 413, by its declared length and by its bytes', async () => {
    const headers = { 'content-type': 'application/json', ...ours.admin.headers() };
    const body = JSON.stringify({ query: `{ viewer { id } } # ${'x'.repeat(LIMITS.graphqlBodyBytesMax)}` });
    for (const duplex of [body, new Blob([body]).stream()]) {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers,
        body: duplex,
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_LARGE' } }] });
    }
  });

  it.each([
    ['{"query":', 'application/json', 400],
    ['[]', 'application/json', 400],
    ['{"query":1}', 'application/json', 400],
    ['{}', 'application/json', 200],
    ['x', 'text/plain', 415],
  ])('of %j as %s is told so', async (body, type, status) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': type, ...ours.admin.headers() },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toMatch(/stack|node_modules|at \w+ \(/);
  });

  it('does not mutate by GET, and subscribes by WebSocket alone', async () => {
    const get = (query: string) =>
      fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, {
        headers: { accept: 'application/json', ...ours.admin.headers() },
      });
    expect((await get('mutation { logout { __typename } }')).status).toBe(405);
    expect(await (await get('{ viewer { role } }')).json()).toEqual({ data: { viewer: { role: 'TENANT_ADMIN' } } });
    const answer = await ours.admin.send('subscription { updateEvents { cursor } }');
    expect(codeOf(answer)).toBe('VALIDATION');
  });

  it('of a browser gets GraphiQL, whole and without other sites', async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-type')).toMatch('text/html');
    const page = await response.text();
    expect(page).toContain('Aloft');
    expect(page).not.toMatch(/(src|href)=["']?https?:/);
  });

  it('of another site is given no permission', async () => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('that fails tells a reference that the log has, and nothing else', async () => {
    await server.query('ALTER TABLE device_profile RENAME TO device_profile_away', []);
    try {
      const answer = await ours.admin.send('{ deviceProfiles { totalCount } }');
      expect(answer.errors).toHaveLength(1);
      expect(answer.errors?.[0]).toMatchObject({
        message: expect.stringMatching(
          /^Something went wrong here\. The server's log says more under [0-9a-f-]{36}\.$/,
        ),
        path: ['deviceProfiles'],
        extensions: { code: 'INTERNAL', reference: expect.any(String) },
      });
    } finally {
      await server.query('ALTER TABLE device_profile_away RENAME TO device_profile', []);
    }
  });
});

describe('what clients send', () => {
  it.each([...contract])('%s is far within the limits', (_name, text) => {
    const documents = new Documents(schema, {
      ...LIMITS,
      graphqlCostMax: LIMITS.graphqlCostMax / 2,
      graphqlDepthMax: LIMITS.graphqlDepthMax - 2,
    });
    expect(documents.validate(documents.parse(text), null)).toEqual([]);
  });
});
