/** What people do to devices. */
import { createDevice, deleteDevice, requireDevice, rotateAccessToken, updateDevice } from '../domain/device.ts';
import type { Device as DeviceWords } from '../domain/device.ts';
import { builder, selected } from './builder.ts';
import { Device, withAccessToken } from './device.ts';
import { defineMutation } from './mutation.ts';

const DeletedDevice = builder.objectRef<{ id: string }>('DeletedDevice').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
});

const CreateDeviceInput = builder.inputType('CreateDeviceInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    deviceProfileId: t.id({ required: true }),
    accessToken: t.string({ description: 'Made by the server where absent.' }),
    customerId: t.id(),
  }),
});

const UpdateDeviceInput = builder.inputType('UpdateDeviceInput', {
  description: 'What is absent stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true }),
    name: t.string(),
    deviceProfileId: t.id({ description: 'Moves the device; it follows its new profile at once.' }),
    customerId: t.id({ description: 'Null takes the device from its customer.' }),
  }),
});

defineMutation('createDevice', {
  description: 'Makes a device. What its profile is assigned is queued for it at once.',
  on: 'DEVICE',
  type: Device,
  args: (arg) => ({ input: arg({ type: CreateDeviceInput, required: true }) }),
  about: ({ input }) => ({ entityName: input.name }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      const { id, accessToken } = await createDevice(query, actor, input, now);
      const { name, deviceProfileId, customerId = null } = input;
      return { entityId: id, entityName: name, after: { name, deviceProfileId, customerId }, accessToken };
    }),
  answer: async ({ entityId, accessToken }, context, info) => {
    const device = await context.services.prisma.device.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Device' }),
      where: { id: entityId },
    });
    return withAccessToken(device, accessToken);
  },
});

/** What of a device an audit entry tells. */
function wordsOf({ name, deviceProfileId, customerId }: DeviceWords) {
  return { name, deviceProfileId, customerId };
}

defineMutation('updateDevice', {
  description: 'Renames a device, moves it to another profile, gives it to another customer.',
  on: 'DEVICE',
  type: Device,
  args: (arg) => ({ input: arg({ type: UpdateDeviceInput, required: true }) }),
  about: ({ input }) => ({ entityId: input.id, entityName: input.name }),
  act: ({ args: { input }, actor, now, commit }) =>
    commit(async (query) => {
      const { id, ...edit } = input;
      const before = wordsOf(await requireDevice(query, actor, id));
      await updateDevice(query, actor, id, edit, now);
      const after = wordsOf(await requireDevice(query, actor, id));
      return { entityId: id, entityName: after.name, before, after };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.device.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Device' }),
      where: { id: entityId },
    }),
});

defineMutation('deleteDevice', {
  description: 'Deletes a device: its open updates end, its token is worth nothing, its history stays.',
  on: 'DEVICE',
  type: DeletedDevice,
  args: (arg) => ({ id: arg.id({ required: true }) }),
  about: ({ id }) => ({ entityId: id }),
  act: ({ args: { id }, actor, now, commit }) =>
    commit(async (query) => {
      const before = wordsOf(await requireDevice(query, actor, id));
      await deleteDevice(query, actor, id, now);
      return { entityId: id, entityName: before.name, before };
    }),
  answer: ({ entityId }) => ({ id: entityId }),
});

defineMutation('rotateAccessToken', {
  description: 'Gives a device a new access token; the old one is worth nothing from now on.',
  on: 'DEVICE',
  type: Device,
  args: (arg) => ({ id: arg.id({ required: true }) }),
  about: ({ id }) => ({ entityId: id }),
  act: ({ args: { id }, actor, commit }) =>
    commit(async (query) => {
      const { name } = await requireDevice(query, actor, id);
      const accessToken = await rotateAccessToken(query, actor, id);
      return { entityId: id, entityName: name, accessToken };
    }),
  answer: async ({ entityId, accessToken }, context, info) => {
    const device = await context.services.prisma.device.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'Device' }),
      where: { id: entityId },
    });
    return withAccessToken(device, accessToken);
  },
});
