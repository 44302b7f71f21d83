/** The printed schema is committed: whoever changes it sees what clients will see. Run with --update to print it anew. */
import { printSchema } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ACCESS } from '../../server/domain/access.ts';
import { schema } from '../../server/graphql/schema.ts';

describe('the schema', () => {
  it('is as it was printed', async () => {
    await expect(`${printSchema(schema)}\n`).toMatchFileSnapshot('../../server/graphql/schema.graphql');
  });

  it('has a rule of access for each root field, and no rule without one', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const fields = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}));
    expect(Object.keys(ACCESS).toSorted()).toEqual(fields.toSorted());
  });
});
