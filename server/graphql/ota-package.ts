/** OTA packages: titled, versioned, typed updates with their bytes or a URL. */
import type { Prisma } from '../../prisma/client/client.ts';
import { permit } from '../domain/access.ts';
import { ValidationError } from '../domain/errors.ts';
import { admitPackage, createPackage, deletePackage, describePackage, packageName } from '../domain/package.ts';
import { receivePackageBytes, sweepBytes } from '../domain/package-bytes.ts';
import { draftPackage } from '../domain/package-draft.ts';
import type { PackageDraft } from '../domain/package-draft.ts';
import { builder, selected } from './builder.ts';
import { connectionOf, pageOf, reachOfPage } from './connection.ts';
import { ChecksumAlgorithm, PackageType } from './enums.ts';
import { defineMutation } from './mutation.ts';
import { containing } from './search.ts';
import { bytesOf, fileOf, uploadLimitsOf } from './upload.ts';

export const OtaPackage = builder.prismaObject('OtaPackage', {
  fields: (t) => ({
    id: t.exposeID('id'),
    title: t.exposeString('title'),
    version: t.exposeString('version'),
    tag: t.exposeString('tag', { nullable: true }),
    type: t.expose('type', { type: PackageType }),
    description: t.exposeString('description', { nullable: true }),
    deviceProfile: t.relation('deviceProfile', { description: 'The class of devices that it fits.' }),
    fileName: t.exposeString('fileName', { nullable: true }),
    contentType: t.exposeString('contentType', { nullable: true }),
    dataSize: t.expose('dataSize', { type: 'ByteCount', nullable: true }),
    checksumAlgorithm: t.expose('checksumAlgorithm', { type: ChecksumAlgorithm }),
    checksum: t.exposeString('checksum', { nullable: true, description: 'Lower-case hex.' }),
    url: t.exposeString('url', { nullable: true, description: 'Where devices fetch it, if not from here.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true }),
  }),
});

const OtaPackageConnection = connectionOf('OtaPackage', OtaPackage);

const DeletedOtaPackage = builder.objectRef<{ id: string }>('DeletedOtaPackage').implement({
  fields: (t) => ({ id: t.exposeID('id') }),
});

const OtaPackageFilter = builder.inputType('OtaPackageFilter', {
  fields: (t) => ({
    search: t.string({ description: 'Occurs in title, version or tag, in any case.' }),
    type: t.field({ type: PackageType }),
    deviceProfileId: t.id(),
  }),
});

const CreateOtaPackageInput = builder.inputType('CreateOtaPackageInput', {
  description: 'Exactly one of file and url.',
  fields: (t) => ({
    title: t.string({ required: true }),
    version: t.string({ required: true }),
    type: t.field({ type: PackageType, required: true }),
    deviceProfileId: t.id({ required: true }),
    tag: t.string(),
    description: t.string(),
    checksumAlgorithm: t.field({ type: ChecksumAlgorithm, description: 'SHA256 when absent.' }),
    checksum: t.string({ description: 'Hex. Of a file it is computed; one that is given must agree.' }),
    file: t.field({ type: 'Upload' }),
    url: t.string(),
    dataSize: t.field({ type: 'ByteCount', description: 'With a URL only.' }),
  }),
});

const UpdateOtaPackageInput = builder.inputType('UpdateOtaPackageInput', {
  fields: (t) => ({
    id: t.id({ required: true }),
    description: t.string({ description: 'Null takes it away.' }),
  }),
});

builder.queryFields((t) => ({
  otaPackage: t.prismaField({
    type: 'OtaPackage',
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (query, _root, { id }, { services, viewer }) => {
      const { tenantId } = permit(viewer, 'otaPackage');
      return services.prisma.otaPackage.findFirst({ ...query, where: { id, tenantId, deletedAt: null } });
    },
  }),
  otaPackages: t.field({
    type: OtaPackageConnection,
    description: 'The newest first.',
    args: { first: t.arg.int(), after: t.arg.string(), filter: t.arg({ type: OtaPackageFilter }) },
    resolve: async (_root, args, context, info) => {
      const { limits, prisma } = context.services;
      const { tenantId } = permit(context.viewer, 'otaPackages');
      const reach = reachOfPage(args, 1, limits);
      const [after] = reach.after ?? [];
      const where = { tenantId, deletedAt: null, ...matching(args.filter ?? {}) };
      // Ids are UUIDs of version 7: their order is the order of creation, and they are never changed.
      const rows = await prisma.otaPackage.findMany({
        ...selected(context, info, { path: ['edges', 'node'] }),
        where: { AND: [where, after === undefined ? {} : { id: { lt: after } }] },
        orderBy: { id: 'desc' },
        take: reach.take,
      });
      return pageOf(
        rows,
        reach,
        (row) => [row.id],
        (row) => row,
        () => prisma.otaPackage.count({ where, take: limits.totalCountMax }),
      );
    },
  }),
}));

function matching({ search, type, deviceProfileId }: typeof OtaPackageFilter.$inferInput): Prisma.OtaPackageWhereInput {
  return {
    ...(search
      ? { OR: [{ title: containing(search) }, { version: containing(search) }, { tag: containing(search) }] }
      : {}),
    ...(type == null ? {} : { type }),
    ...(deviceProfileId == null ? {} : { deviceProfileId }),
  };
}

defineMutation('createOtaPackage', {
  description: 'Makes a package of a file or of a URL. Title and version together are unique in the tenant.',
  on: 'OTA_PACKAGE',
  type: OtaPackage,
  args: (arg) => ({ input: arg({ type: CreateOtaPackageInput, required: true }) }),
  about: ({ input }) => ({ entityName: `${input.title} ${input.version}` }),
  act: async ({ args: { input }, context, actor, now, commit }) => {
    const { packageBytesMax, packageStore, query } = context.services;
    const { file: sent, ...words } = input;
    const limits = uploadLimitsOf(context.services);
    const file = sent ? await fileOf(sent, limits) : null;
    const draft = draftPackage({
      ...words,
      file: file && { name: file.filename, contentType: file.mimetype },
    });
    await admitPackage(query, actor, draft);
    await using received = file
      ? await receivePackageBytes(packageStore, draft, bytesOf(file, limits), packageBytesMax)
      : null;
    // Awaited here: what was received must not be discarded before it is kept.
    return await commit(async (inTransaction) => {
      const { id } = await createPackage(inTransaction, actor, draft, received, now);
      return { entityId: id, entityName: `${draft.title} ${draft.version}`, after: wordsOf(draft) };
    });
  },
  answer: ({ entityId }, context, info) =>
    context.services.prisma.otaPackage.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'OtaPackage' }),
      where: { id: entityId },
    }),
});

function wordsOf({ title, version, type, deviceProfileId, tag, url }: PackageDraft): object {
  return { title, version, type, deviceProfileId, tag, url };
}

defineMutation('updateOtaPackage', {
  description: 'Changes the description; nothing else of a package ever changes.',
  on: 'OTA_PACKAGE',
  type: OtaPackage,
  args: (arg) => ({ input: arg({ type: UpdateOtaPackageInput, required: true }) }),
  about: ({ input }) => ({ entityId: input.id }),
  act: ({ args: { input }, actor, commit }) =>
    commit(async (query) => {
      if (input.description === undefined)
        throw new ValidationError('Nothing is to be changed: give a description, or null.');
      const { name, before, after } = await describePackage(query, actor, input.id, input.description);
      return {
        entityId: input.id,
        entityName: name,
        before: { description: before },
        after: { description: after },
      };
    }),
  answer: ({ entityId }, context, info) =>
    context.services.prisma.otaPackage.findUniqueOrThrow({
      ...selected(context, info, { typeName: 'OtaPackage' }),
      where: { id: entityId },
    }),
});

defineMutation('deleteOtaPackage', {
  description: 'Deletes a package that no assignment in force names. Its history stays.',
  on: 'OTA_PACKAGE',
  type: DeletedOtaPackage,
  args: (arg) => ({ id: arg.id({ required: true }) }),
  about: ({ id }) => ({ entityId: id }),
  act: async ({ args: { id }, context, actor, now, commit }) => {
    const { packageStore, transaction } = context.services;
    const deed = await commit(async (query) => {
      const { sha256 } = await deletePackage(query, actor, id, now);
      return { entityId: id, entityName: await packageName(query, actor, id), sha256 };
    });
    // Should this fail, the sweep at the next start does it; the package is deleted all the same.
    if (deed.sha256 !== null)
      await sweepBytes(transaction, packageStore, deed.sha256).catch((error: unknown) => {
        context.services.logger.warn(
          { err: error, sha256: deed.sha256 },
          'the bytes of a deleted package could not be removed',
        );
      });
    return deed;
  },
  answer: ({ entityId }) => ({ id: entityId }),
});
