/** Assignments: declared intent that a device or a profile run a package. */
import type { Prisma } from '../../prisma/client/client.ts';
import { permit } from '../domain/access.ts';
import type { Actor } from '../domain/actor.ts';
import { assign, unassign } from '../domain/assignment.ts';
import type { Subject } from '../domain/assignment.ts';
import { ForbiddenError } from '../domain/errors.ts';
import { inOrder } from '../domain/fleet.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { PackageType } from './enums.ts';
import { StateCountType } from './fleet-summary.ts';
import { defineMutation } from './mutation.ts';
import { User } from './user.ts';

export const Assignment = builder.prismaObject('Assignment', {
  fields: (t) => ({
    id: t.exposeID('id'),
    type: t.expose('type', { type: PackageType }),
    package: t.relation('package'),
    deviceProfile: t.relation('deviceProfile', { nullable: true }),
    device: t.relation('device', { nullable: true }),
    createdBy: t.field({
      type: User,
      nullable: true,
      description: "Null where it was Aloft itself, or somebody who is not of the asker's customer.",
      select: (_args, _context, nested) => ({ createdBy: nested(true) }),
      resolve: ({ createdBy }, _args, { viewer }) => {
        const { customerId } = permit(viewer, 'assignment');
        return customerId === null || createdBy?.customerId === customerId ? createdBy : null;
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'Null while it is in force.' }),
    deviceCount: t.exposeInt('deviceCount', { description: 'Devices handled so far; it grows while they are queued.' }),
    progress: t.field({
      type: [StateCountType],
      description: 'Its devices, each once, by the state of the latest attempt: every state in order, zeros included.',
      select: { counts: true },
      resolve: ({ counts }) => inOrder(counts),
    }),
  }),
});

const AssignmentConnection = connectionOf('Assignment', Assignment);

const AssignmentFilter = builder.inputType('AssignmentFilter', {
  fields: (t) => ({
    packageId: t.id(),
    deviceProfileId: t.id(),
    deviceId: t.id(),
    type: t.field({ type: PackageType }),
    inForce: t.boolean({ description: 'True: only those in force. False: only those that ended.' }),
  }),
});

builder.queryFields((t) => ({
  assignment: t.prismaField({
    type: 'Assignment',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, { id }, { services, viewer }) =>
      services.prisma.assignment.findFirst({ ...query, where: { id, ...visible(permit(viewer, 'assignment')) } }),
  }),
  assignments: t.field({
    type: AssignmentConnection,
    description: 'The newest first.',
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: AssignmentFilter }) },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const reach = reachOfPage(args, 1, limits);
      const [after] = reach.after ?? [];
      const where = { AND: [visible(permit(context.viewer, 'assignments')), matching(args.filter ?? {})] };
      const rows = await prisma.assignment.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { ...where, ...(after === undefined ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.id],
        (row) => row,
        () => prisma.assignment.count({ where, take: limits.totalCountMax }),
      );
    },
  }),
}));

/** A customer's user sees what is assigned to the customer's devices; a profile's progress tells of other customers' too. */
function visible({ tenantId, customerId }: Actor): Prisma.AssignmentWhereInput {
  return customerId === null ? { tenantId } : { tenantId, device: { customerId } };
}

function matching(filter: typeof AssignmentFilter.$inferInput): Prisma.AssignmentWhereInput {
  const { packageId, deviceProfileId, deviceId, type, inForce } = filter;
  return {
    ...(packageId == null ? {} : { packageId }),
    ...(deviceProfileId == null ? {} : { deviceProfileId }),
    ...(deviceId == null ? {} : { deviceId }),
    ...(type == null ? {} : { type }),
    ...(inForce == null ? {} : { endedAt: inForce ? null : { not: null } }),
  };
}

const AssignOtaPackageInput = builder.inputType('AssignOtaPackageInput', {
  description: 'Exactly one of deviceProfileId and deviceId.',
  fields: (t) => ({
    packageId: t.id({ required: true }),
    deviceProfileId: t.id(),
    deviceId: t.id(),
  }),
});

const UnassignOtaPackageInput = builder.inputType('UnassignOtaPackageInput', {
  description: 'Exactly one of deviceProfileId and deviceId.',
  fields: (t) => ({
    type: t.field({ type: PackageType, required: true }),
    deviceProfileId: t.id(),
    deviceId: t.id(),
  }),
});

defineMutation('assignOtaPackage', {
  description: 'Assigns a package to a profile or to one device. What is assigned already stays as it is.',
  on: 'ASSIGNMENT',
  type: Assignment,
  args: (arg) => ({ input: arg({ type: AssignOtaPackageInput, required: true }) }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      requireReach(actor, input);
      const { assignmentId } = await assign(query, actor, input.packageId, input, now);
      return { entityId: assignmentId, after: { ...input } };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.assignment.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Assignment' }),
      where: { id: entityId },
    }),
});

defineMutation('unassignOtaPackage', {
  description:
    "Ends what is assigned: a profile's devices are left without, a device falls back to its profile's package.",
  on: 'ASSIGNMENT',
  type: Assignment,
  args: (arg) => ({ input: arg({ type: UnassignOtaPackageInput, required: true }) }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      requireReach(actor, input);
      const { type, ...subject } = input;
      return { entityId: await unassign(query, actor, type, subject, now), before: { ...input } };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.assignment.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Assignment' }),
      where: { id: entityId },
    }),
});

/** Profiles may be known to a customer's user, but are the tenant's: their devices are other customers' too. */
function requireReach(actor: Actor, { deviceProfileId }: Subject): void {
  if (actor.customerId !== null && deviceProfileId != null) {
    throw new ForbiddenError(
      'Packages are assigned to a profile by an administrator. Assign to your devices one by one.',
    );
  }
}
