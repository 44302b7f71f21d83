/** Device profiles: classes of devices that share settings; a package fits one. */
import { permit } from '../domain/access.ts';
import { createDeviceProfile, deleteDeviceProfile } from '../domain/device-profile.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { defineMutation } from './mutation.ts';
import { containing } from './search.ts';

export const DeviceProfile = builder.prismaObject('DeviceProfile', {
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const DeviceProfileConnection = connectionOf('DeviceProfile', DeviceProfile);

const DeletedDeviceProfile = builder.objectRef<{ id: string }>('DeletedDeviceProfile').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
});

const CreateDeviceProfileInput = builder.inputType('CreateDeviceProfileInput', {
  fields: (t) => ({ name: t.string({ required: true }) }),
});

builder.queryFields((t) => ({
  deviceProfile: t.prismaField({
    type: 'DeviceProfile',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, { id }, { services, viewer }) => {
      const { tenantId } = permit(viewer, 'deviceProfile');
      return services.prisma.deviceProfile.findFirst({ ...query, where: { id, tenantId, deletedAt: null } });
    },
  }),
  deviceProfiles: t.field({
    type: DeviceProfileConnection,
    description: 'By name.',
    args: { first: t.arg.int(), after: t.arg.string(), search: t.arg.string() },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const { tenantId } = permit(context.viewer, 'deviceProfiles');
      const reach = reachOfPage(args, 2, limits);
      const [name = '', id = ''] = reach.after ?? [];
      const where = { tenantId, deletedAt: null, ...(args.search == null ? {} : { name: containing(args.search) }) };
      const rows = await prisma.deviceProfile.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { AND: [where, reach.after === null ? {} : { OR: [{ name: { gt: name } }, { name, id: { gt: id } }] }] },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.name, row.id],
        (row) => row,
        () => prisma.deviceProfile.count({ where, take: limits.totalCountMax }),
      );
    },
  }),
}));

defineMutation('createDeviceProfile', {
  description: 'Makes a device profile. Its name is unique in the tenant.',
  on: 'DEVICE_PROFILE',
  type: DeviceProfile,
  args: (arg) => ({ input: arg({ type: CreateDeviceProfileInput, required: true }) }),
  about: ({ input }) => ({ entityName: input.name }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      const { id, name } = await createDeviceProfile(query, actor, input, now);
      return { entityId: id, entityName: name, after: { name } };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.deviceProfile.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'DeviceProfile' }),
      where: { id: entityId },
    }),
});

defineMutation('deleteDeviceProfile', {
  description: 'Deletes a profile that has neither devices nor packages.',
  on: 'DEVICE_PROFILE',
  type: DeletedDeviceProfile,
  args: (arg) => ({ id: arg.id({ required: true }) }),
  about: ({ id }) => ({ entityId: id }),
  act: ({ args: { id }, actor, now, commit }) =>
    commit(async (query) => {
      const { name } = await deleteDeviceProfile(query, actor, id, now);
      return { entityId: id, entityName: name, before: { name } };
    }),
  answer: ({ entityId }) => ({ id: entityId }),
});
