/** Who did what, when, on what, and how it ended. */
import { permit } from '../domain/access.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { AuditOutcome, EntityType } from './enums.ts';

const AuditEntry = builder.prismaObject('AuditEntry', {
  fields: (t) => ({
    id: t.exposeID('id'),
    at: t.expose('at', { type: 'DateTime' }),
    actor: t.relation('actor', { nullable: true }),
    action: t.exposeString('action', { description: 'The field of this API.' }),
    entityType: t.expose('entityType', { type: EntityType, nullable: true }),
    entityId: t.exposeID('entityId', { nullable: true }),
    entityName: t.exposeString('entityName', { nullable: true, description: 'As it was named then.' }),
    outcome: t.expose('outcome', { type: AuditOutcome }),
    errorCode: t.exposeString('errorCode', { nullable: true, description: 'Why it was refused.' }),
    before: t.string({
      nullable: true,
      description: 'What changed, as it was: JSON.',
      resolve: ({ before }) => json(before),
    }),
    after: t.string({
      nullable: true,
      description: 'What changed, as it is: JSON.',
      resolve: ({ after }) => json(after),
    }),
  }),
});

function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

const AuditEntryConnection = connectionOf('AuditEntry', AuditEntry);

builder.queryField('auditLog', (t) =>
  t.field({
    type: AuditEntryConnection,
    description: 'The newest first. Entries cannot be changed.',
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const { tenantId } = permit(context.viewer, 'auditLog');
      const reach = reachOfPage(args, 1, limits);
      const [after] = reach.after ?? [];
      const rows = await prisma.auditEntry.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { tenantId, ...(after === undefined ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.id],
        (row) => row,
        () => prisma.auditEntry.count({ where: { tenantId }, take: limits.totalCountMax }),
      );
    },
  }),
);
