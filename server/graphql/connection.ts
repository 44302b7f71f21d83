/**
 * Relay connections by keyset: a cursor holds the sort values and the id of its row, so a page begins where the last one ended
 * whatever has been added or has gone meanwhile.
 */
import type { ObjectRef, SchemaTypes } from '@pothos/core';
import type { Limits } from '../config.ts';
import { ValidationError } from '../domain/errors.ts';
import { builder } from './builder.ts';

type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T extends SchemaTypes> ? T : never;

/** Sort values as text, the id last. */
export type Key = readonly string[];

export interface Page<Node> {
  readonly edges: readonly Edge<Node>[];
  readonly hasNextPage: boolean;
  /** Asked only where the document asks. */
  readonly total: () => Promise<number>;
}

export interface Edge<Node> {
  readonly cursor: string;
  readonly node: Node;
}

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** Rows to read, one more than the page holds, and the key after which they begin. */
export interface Reach {
  readonly take: number;
  readonly after: Key | null;
}

const PageInfo = builder.objectRef<Page<unknown>>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    endCursor: t.string({ nullable: true, resolve: (page) => page.edges.at(-1)?.cursor ?? null }),
  }),
});

/** The types `<Name>Connection` and `<Name>Edge`. */
export function connectionOf<Node>(name: string, node: ObjectRef<Types, Node>) {
  const EdgeType = builder.objectRef<Edge<Node>>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      node: t.field({ type: node, resolve: (edge) => edge.node as never }),
    }),
  });
  return builder.objectRef<Page<Node>>(`${name}Connection`).implement({
    fields: (t) => ({
      totalCount: t.int({
        description: 'Exact up to 10,000, and beyond it where counters know it; else 10,000.',
        resolve: (page) => page.total(),
      }),
      pageInfo: t.field({ type: PageInfo, resolve: (page) => page }),
      edges: t.field({ type: [EdgeType], resolve: (page) => [...page.edges] }),
    }),
  });
}

/**
 * @param keyLength how many parts a key of the list has; null where the list checks that itself
 * @throws ValidationError
 */
export function reachOfPage(args: PageArgs, keyLength: number | null, limits: Limits): Reach {
  const first = args.first ?? limits.pageSizeDefault;
  if (first < 1 || first > limits.pageSizeMax)
    throw new ValidationError(`first must be from 1 to ${limits.pageSizeMax}.`);
  return { take: first + 1, after: args.after == null ? null : parseCursor(args.after, keyLength) };
}

/** The page of `rows`, which are one more than it holds where another page follows. */
export function pageOf<Row, Node>(
  rows: readonly Row[],
  { take }: Reach,
  keyOf: (row: Row) => Key,
  nodeOf: (row: Row) => Node,
  total: () => Promise<number>,
): Page<Node> {
  const edges = rows.slice(0, take - 1).map((row) => ({ cursor: cursorOf(keyOf(row)), node: nodeOf(row) }));
  return { edges, hasNextPage: rows.length === take, total };
}

function cursorOf(key: Key): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function isKey(value: unknown): value is Key {
  return Array.isArray(value) && value.every((part) => typeof part === 'string' && !part.includes('\0'));
}

function parseCursor(cursor: string, keyLength: number | null): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (isKey(key) && key.length === (keyLength ?? key.length) && isId(key.at(-1))) return key;
  } catch {
    // Refused below, like whatever else is not ours.
  }
  throw new ValidationError('The cursor is not one of this list.');
}

function isId(text: unknown): boolean {
  return typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
