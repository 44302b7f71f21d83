/** Devices, and what each runs, should run, and how far its update is. */
import type { Device as DeviceRow, Prisma, Slot as SlotRow } from '../../prisma/client/client.ts';
import type { PackageType as PackageTypeName } from '../../prisma/client/enums.ts';
import { permit } from '../domain/access.ts';
import { isWithin } from '../domain/actor.ts';
import type { Actor } from '../domain/actor.ts';
import { DEVICE_ORDERS, countDevices, listDevices } from '../domain/fleet.ts';
import type { DeviceFilter } from '../domain/fleet.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { PackageType, UpdateState } from './enums.ts';
import { targetKey } from './loaders.ts';
import type { Target } from './loaders.ts';
import { OtaPackage } from './ota-package.ts';
import { Update, UpdateEvent } from './update.ts';

/** Tokens of devices that this very answer is about; nothing else holds them. */
const issuedTokens = new WeakMap<object, string>();

/** The device as the answer to the act that gave it its access token. */
export function withAccessToken(device: DeviceRow, accessToken: string): DeviceRow {
  issuedTokens.set(device, accessToken);
  return device;
}

type CurrentVersion = Pick<SlotRow, 'currentTitle' | 'currentVersion' | 'currentReportedAt'>;

const Current = builder.objectRef<CurrentVersion>('CurrentVersion').implement({
  description: 'What a device reports to run.',
  fields: (t) => ({
    title: t.exposeString('currentTitle', { nullable: true }),
    version: t.exposeString('currentVersion', { nullable: true }),
    reportedAt: t.expose('currentReportedAt', { type: 'DateTime', nullable: true }),
  }),
});

const TargetSource = builder.enumType('TargetSource', { values: ['DEVICE', 'DEVICE_PROFILE'] as const });

const TargetVersion = builder.objectRef<Target>('TargetVersion').implement({
  description: "What a device should run: its own package, else its profile's.",
  fields: (t) => ({
    title: t.exposeString('title'),
    version: t.exposeString('version'),
    source: t.expose('source', { type: TargetSource, description: 'Whose assignment makes it so.' }),
    package: t.field({
      type: OtaPackage,
      nullable: true,
      resolve: ({ packageId }, _args, { loaders }) => loaders.otaPackage.load(packageId),
    }),
  }),
});

const UpdateConnection = connectionOf('Update', Update);

export const Device = builder.prismaObject('Device', {
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    deviceProfile: t.relation('deviceProfile'),
    customer: t.relation('customer', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
    lastSeenAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'To within five minutes.',
      select: { seen: true },
      resolve: ({ seen }) => seen?.seenAt ?? null,
    }),
    accessToken: t.string({
      nullable: true,
      description: 'Only in the answers of createDevice and rotateAccessToken, and never again.',
      resolve: (device) => issuedTokens.get(device) ?? null,
    }),
    current: t.field({
      type: Current,
      nullable: true,
      args: { type: t.arg({ type: PackageType, required: true }) },
      select: { slots: true },
      resolve: ({ slots }, { type }) =>
        slots.find((slot) => slot.type === type && slot.currentReportedAt !== null) ?? null,
    }),
    target: t.field({
      type: TargetVersion,
      nullable: true,
      args: { type: t.arg({ type: PackageType, required: true }) },
      resolve: ({ id }, { type }, { loaders }) => loaders.target.load(targetKey(id, type)),
    }),
    update: t.field({
      type: Update,
      nullable: true,
      description: 'The latest.',
      args: { type: t.arg({ type: PackageType, required: true }) },
      select: (_args, _context, nested) => ({ slots: { include: { update: nested(true) } } }),
      resolve: ({ slots }, { type }) => slots.find((slot) => slot.type === type)?.update ?? null,
    }),
    updates: t.field({
      type: UpdateConnection,
      description: 'The newest first.',
      args: {
        type: t.arg({ type: PackageType, required: true }),
        first: t.arg.int(),
        after: t.arg.string(),
      },
      resolve: async ({ id }, { type, ...args }, { loaders, services }) => {
        const reach = reachOfPage(args, 2, services.limits);
        const history = loaders.historyOfDevice(type, reach);
        return pageOf(
          await history.page.load(id),
          reach,
          (row) => [row.queuedAt.toISOString(), row.id],
          (row) => row,
          () => history.count.load(id),
        );
      },
    }),
  }),
});

const DeviceConnection = connectionOf('Device', Device);

builder.objectField(UpdateEvent, 'device', (t) =>
  t.field({
    type: Device,
    nullable: true,
    description: 'Null where it has become the device of another customer.',
    resolve: async (event, _args, { loaders, viewer }) => {
      const device = await loaders.device.load(event.deviceId);
      return device !== null && isWithin(permit(viewer, 'device'), device) ? device : null;
    },
  }),
);

const DeviceUpdateFilter = builder.inputType('DeviceUpdateFilter', {
  fields: (t) => ({
    type: t.field({ type: PackageType, required: true }),
    states: t.field({ type: [UpdateState], description: 'Of the latest update. Absent: all.' }),
  }),
});

const DeviceFilterInput = builder.inputType('DeviceFilter', {
  fields: (t) => ({
    search: t.string({ description: 'Occurs in the name, in any case.' }),
    deviceProfileId: t.id(),
    update: t.field({ type: DeviceUpdateFilter }),
  }),
});

const DeviceOrder = builder.enumType('DeviceOrder', {
  values: DEVICE_ORDERS,
  description: 'NAME from A. TIME_IN_STATE from the longest. LAST_SEEN from the latest; those never seen come last.',
});

builder.queryFields((t) => ({
  device: t.prismaField({
    type: 'Device',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, { id }, { services, viewer }) =>
      services.prisma.device.findFirst({ ...query, where: { id, ...visible(permit(viewer, 'device')) } }),
  }),
  devices: t.field({
    type: DeviceConnection,
    args: {
      first: t.arg.int(),
      after: t.arg.string(),
      filter: t.arg({ type: DeviceFilterInput }),
      orderBy: t.arg({ type: DeviceOrder, required: true, defaultValue: 'NAME' }),
    },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma, query } = context.services;
      const actor = permit(context.viewer, 'devices');
      const reach = reachOfPage(args, null, limits);
      const filter = filterOf(args.filter ?? {});
      const places = await listDevices(query, actor, filter, args.orderBy, reach);
      const rows = await prisma.device.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { id: { in: places.map(({ id }) => id) } },
      });
      const byId = new Map(rows.map((row) => [row.id, row]));
      // Between the two statements a device may have gone; its place is still counted, so that the page does not look like the last.
      const page = pageOf(
        places,
        reach,
        ({ key }) => key,
        ({ id }) => byId.get(id),
        () => countDevices(query, actor, filter, limits.totalCountMax),
      );
      return {
        ...page,
        edges: page.edges.flatMap(({ cursor, node }) => (node === undefined ? [] : [{ cursor, node }])),
      };
    },
  }),
}));

function visible({ tenantId, customerId }: Actor): Prisma.DeviceWhereInput {
  return { tenantId, deletedAt: null, ...(customerId === null ? {} : { customerId }) };
}

function filterOf({ search, deviceProfileId, update }: typeof DeviceFilterInput.$inferInput): DeviceFilter {
  return {
    search: search ?? null,
    deviceProfileId: deviceProfileId ?? null,
    // Without a type of interest: a device has a slot for each.
    type: update?.type ?? ('FIRMWARE' satisfies PackageTypeName),
    states: update?.states ?? null,
  };
}
