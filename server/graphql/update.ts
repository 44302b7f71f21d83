/** Updates: one device's passage to one package, and the changes of its state. */
import type { Update as UpdateRow } from '../../prisma/client/client.ts';
import type { LogEvent } from '../domain/ports.ts';
import { builder } from './builder.ts';
import { PackageType, UpdateResult, UpdateState } from './enums.ts';

export const Update = builder.prismaObject('Update', {
  fields: (t) => ({
    id: t.exposeID('id'),
    type: t.expose('type', { type: PackageType }),
    package: t.relation('package'),
    state: t.expose('state', { type: UpdateState }),
    result: t.expose('result', { type: UpdateResult, nullable: true }),
    error: t.exposeString('error', { nullable: true, description: "The device's own words, or ours." }),
    attempt: t.exposeInt('attempt', { description: '1, and counted up by each next attempt at the same package.' }),
    revision: t.exposeInt('revision', { description: 'Counted up by each change: of two, the higher is newer.' }),
    bytesServed: t.expose('bytesServed', { type: 'ByteCount' }),
    bytesTotal: t.expose('bytesTotal', { type: 'ByteCount', nullable: true }),
    queuedAt: t.expose('queuedAt', { type: 'DateTime' }),
    initiatedAt: t.expose('initiatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device was told.',
    }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
  }),
});

export const UpdateEvent = builder.objectRef<LogEvent>('UpdateEvent').implement({
  description: 'One change of the state of an update.',
  fields: (t) => ({
    state: t.expose('state', { type: UpdateState }),
    result: t.expose('result', { type: UpdateResult, nullable: true }),
    error: t.exposeString('error', { nullable: true }),
    at: t.expose('at', { type: 'DateTime', description: "The device's clock, where it said one; else `receivedAt`." }),
    receivedAt: t.expose('receivedAt', { type: 'DateTime' }),
    update: t.field({
      type: Update,
      description: 'As it was right after this change.',
      resolve: async (event, _args, { loaders }) => {
        const row = await loaders.update.load(event.updateId);
        if (row === null) throw new Error(`event ${event.seq} is of an update that is gone`);
        return asOf(row, event);
      },
    }),
  }),
});

function asOf(row: UpdateRow, event: LogEvent): UpdateRow {
  const { state, result, error, revision } = event;
  const isFinished = result !== null;
  return {
    ...row,
    state,
    result,
    error,
    revision,
    bytesServed: BigInt(event.bytesServed),
    bytesTotal: event.bytesTotal === null ? null : BigInt(event.bytesTotal),
    finishedAt: isFinished ? event.receivedAt : null,
    updatedAt: event.receivedAt,
  };
}

builder.objectField(Update, 'events', (t) =>
  t.field({
    type: [UpdateEvent],
    description: 'In their order; the newest 200, where a device repeats itself more often.',
    resolve: async (update, _args, { loaders }) => [...(await loaders.eventsOfUpdate.load(update.id))],
  }),
);
