/** The schema builder and the scalars. Each noun has a file of its own beside this one. */
import SchemaBuilder from '@pothos/core';
import PrismaPlugin, { queryFromInfo } from '@pothos/plugin-prisma';
import { GraphQLError, Kind } from 'graphql';
import type { GraphQLResolveInfo } from 'graphql';
import type PrismaTypes from '../../prisma/client/pothos.ts';
import { getDatamodel } from '../../prisma/client/pothos.ts';
import type { Context } from './context.ts';
import type { File } from './upload.ts';

export interface BuilderTypes {
  Context: Context;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    ByteCount: { Input: number; Output: number | bigint };
    Upload: { Input: File; Output: never };
  };
}

export const builder = new SchemaBuilder<BuilderTypes>({
  plugins: [PrismaPlugin],
  defaultFieldNullability: false,
  prisma: { client: (context) => context.services.prisma, dmmf: getDatamodel() },
});

builder.queryType();
builder.mutationType();
builder.subscriptionType();

builder.scalarType('DateTime', {
  description: 'An instant: ISO 8601 in UTC with milliseconds.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const instant = typeof value === 'string' ? new Date(value) : null;
    if (instant === null || Number.isNaN(instant.getTime())) throw new GraphQLError('Not an instant in ISO 8601.');
    return instant;
  },
});

builder.scalarType('ByteCount', {
  description: 'A number of bytes: a safe integer, beyond the 31 bits of Int.',
  serialize: Number,
  parseValue: (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new GraphQLError('Not a number of bytes.');
  },
  parseLiteral: (node) => {
    if (node.kind === Kind.INT && Number.isSafeInteger(Number(node.value))) return Number(node.value);
    throw new GraphQLError('Not a number of bytes.');
  },
});

/**
 * What a document wants of the rows of a type, as part of a Prisma query, so that relations are read along with them.
 * @param at where the rows are in the answer: the fields that lead there, or the type of a union
 */
export function selected(
  context: Context,
  info: GraphQLResolveInfo,
  at: { path: string[] } | { typeName: string },
): object {
  return queryFromInfo({ context, info, ...at });
}
