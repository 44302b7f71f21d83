/** Customers: owners of some of a tenant's devices. */
import { permit } from '../domain/access.ts';
import type { Actor } from '../domain/actor.ts';
import { createCustomer } from '../domain/customer.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { defineMutation } from './mutation.ts';
import { containing } from './search.ts';

export const Customer = builder.prismaObject('Customer', {
  fields: (t) => ({
    id: t.exposeID('id'),
    title: t.exposeString('title'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const CustomerConnection = connectionOf('Customer', Customer);

const CreateCustomerInput = builder.inputType('CreateCustomerInput', {
  fields: (t) => ({ title: t.string({ required: true }) }),
});

builder.queryFields((t) => ({
  customer: t.prismaField({
    type: 'Customer',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, { id }, { services, viewer }) =>
      services.prisma.customer.findFirst({ ...query, where: { AND: [{ id }, visible(permit(viewer, 'customer'))] } }),
  }),
  customers: t.field({
    type: CustomerConnection,
    description: 'By title.',
    args: { first: t.arg.int(), after: t.arg.string(), search: t.arg.string() },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const reach = reachOfPage(args, 2, limits);
      const [title = '', id = ''] = reach.after ?? [];
      const where = {
        ...visible(permit(context.viewer, 'customers')),
        ...(args.search == null ? {} : { title: containing(args.search) }),
      };
      const rows = await prisma.customer.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: {
          AND: [where, reach.after === null ? {} : { OR: [{ title: { gt: title } }, { title, id: { gt: id } }] }],
        },
        orderBy: [{ title: 'asc' }, { id: 'asc' }],
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.title, row.id],
        (row) => row,
        () => prisma.customer.count({ where, take: limits.totalCountMax }),
      );
    },
  }),
}));

/** A customer's user sees the own customer alone. */
function visible({ tenantId, customerId }: Actor) {
  return customerId === null ? { tenantId } : { tenantId, id: customerId };
}

defineMutation('createCustomer', {
  description: 'Makes a customer. Its title is unique in the tenant.',
  on: 'CUSTOMER',
  type: Customer,
  args: (arg) => ({ input: arg({ type: CreateCustomerInput, required: true }) }),
  about: ({ input }) => ({ entityName: input.title }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      const { id, title } = await createCustomer(query, actor, input, now);
      return { entityId: id, entityName: title, after: { title } };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.customer.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Customer' }),
      where: { id: entityId },
    }),
});
