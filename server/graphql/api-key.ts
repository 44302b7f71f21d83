/** Keys for programs: each acts with the rights of the user who made it. */
import { permit } from '../domain/access.ts';
import { createApiKey, revokeApiKey } from '../domain/session.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { defineMutation } from './mutation.ts';

const ApiKey = builder.prismaObject('ApiKey', {
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To within five minutes.' }),
  }),
});

const ApiKeyConnection = connectionOf('ApiKey', ApiKey);

interface IssuedApiKeyAnswer {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly expiresAt: Date | null;
}

const IssuedApiKey = builder.objectRef<IssuedApiKeyAnswer>('IssuedApiKey').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    token: t.exposeString('token', { description: 'To be sent as `Authorization: Bearer …`. Not to be had again.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
  }),
});

const RevokedApiKey = builder.objectRef<{ id: string }>('RevokedApiKey').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    expiresAt: t.field({ type: 'DateTime', description: 'Absent: never.' }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: ApiKeyConnection,
    description: "One's own, the newest first.",
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const where = { userId: permit(context.viewer, 'apiKeys').userId };
      const reach = reachOfPage(args, 1, limits);
      const [id] = reach.after ?? [];
      const rows = await prisma.apiKey.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { ...where, ...(id === undefined ? {} : { id: { lt: id } }) },
        orderBy: { id: 'desc' },
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.id],
        (row) => row,
        () => prisma.apiKey.count({ where, take: limits.totalCountMax }),
      );
    },
  }),
);

defineMutation('createApiKey', {
  description: 'Makes a key that acts with the rights of its maker.',
  on: 'API_KEY',
  type: IssuedApiKey,
  args: (arg) => ({ input: arg({ type: CreateApiKeyInput, required: true }) }),
  about: ({ input }) => ({ entityName: input.name }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      const key = await createApiKey(query, actor, input, now);
      return { ...key, entityId: key.id, entityName: key.name, after: { name: key.name, expiresAt: key.expiresAt } };
    }),
  answer: (key) => key,
});

defineMutation('revokeApiKey', {
  description: 'The key is worth nothing from now on, and what lives by it ends.',
  on: 'API_KEY',
  type: RevokedApiKey,
  args: (arg) => ({ id: arg.id({ required: true }) }),
  about: ({ id }) => ({ entityId: id }),
  act: ({ args: { id }, actor, commit }) =>
    commit(async (query) => {
      const { name } = await revokeApiKey(query, actor, id);
      return { entityId: id, entityName: name, before: { name } };
    }),
  answer: ({ entityId }) => ({ id: entityId }),
});
