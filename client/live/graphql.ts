/** Documents typed by the server's schema. `graphql-env.d.ts` is generated from it; a test compares the two. */
import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './graphql-env.d.ts';

export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: {
    /** ISO 8601 in UTC with milliseconds, so that instants compare as text. */
    DateTime: string;
    ByteCount: number;
  };
}>();

export type PackageType = ReturnType<typeof graphql.scalar<'PackageType'>>;
export type UpdateState = ReturnType<typeof graphql.scalar<'UpdateState'>>;
export type UpdateResult = ReturnType<typeof graphql.scalar<'UpdateResult'>>;
export type ErrorCode = ReturnType<typeof graphql.scalar<'ErrorCode'>>;
