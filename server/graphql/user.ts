/** People who sign in. */
import { permit } from '../domain/access.ts';
import { createUser, emailAddress, requirePassword } from '../domain/user.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { Role } from './enums.ts';
import { defineMutation } from './mutation.ts';

export const User = builder.prismaObject('User', {
  fields: (t) => ({
    id: t.exposeID('id'),
    email: t.exposeString('email'),
    role: t.expose('role', { type: Role }),
    tenant: t.relation('tenant'),
    customer: t.relation('customer', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const UserConnection = connectionOf('User', User);

const CreateUserInput = builder.inputType('CreateUserInput', {
  fields: (t) => ({
    email: t.string({ required: true }),
    password: t.string({ required: true }),
    role: t.field({ type: Role, required: true }),
    customerId: t.id({ description: 'For a CUSTOMER_USER: whose.' }),
  }),
});

builder.queryField('users', (t) =>
  t.field({
    type: UserConnection,
    description: 'By e-mail address.',
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const { tenantId } = permit(context.viewer, 'users');
      const reach = reachOfPage(args, 2, limits);
      // The address alone is unique; the id makes the key like those of other lists.
      const [email = ''] = reach.after ?? [];
      const rows = await prisma.user.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { tenantId, email: { gt: email } },
        orderBy: { email: 'asc' },
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.email, row.id],
        (row) => row,
        () => prisma.user.count({ where: { tenantId }, take: limits.totalCountMax }),
      );
    },
  }),
);

defineMutation('createUser', {
  description: 'Makes a user, who can sign in at once.',
  on: 'USER',
  type: User,
  args: (arg) => ({ input: arg({ type: CreateUserInput, required: true }) }),
  about: ({ input }) => ({ entityName: input.email }),
  act: async ({ args: { input }, context, actor, now, commit }) => {
    const { limits, passwords } = context.services;
    emailAddress(input.email);
    requirePassword(input.password, limits);
    const passwordHash = await passwords.hash(input.password);
    return commit(async (query) => {
      const { id, email } = await createUser(query, actor, input, passwordHash, now);
      return {
        entityId: id,
        entityName: email,
        after: { email, role: input.role, customerId: input.customerId ?? null },
      };
    });
  },
  answer: ({ entityId }, context, info) =>
    context.services.prisma.user.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'User' }),
      where: { id: entityId },
    }),
});
