/** Live state changes, from the log. */
import { permit } from '../domain/access.ts';
import { builder } from './builder.ts';
import { seqOf } from './cursor.ts';
import { PackageType } from './enums.ts';
import { live } from './live.ts';
import type { UpdateEventBatch, UpdateFeed, Wanted } from './update-feed.ts';
import { UpdateEvent } from './update.ts';

const UpdateEventBatchType = builder.objectRef<UpdateEventBatch>('UpdateEventBatch').implement({
  description: 'What was committed in the last moments. Subscribing with its cursor goes on right after it.',
  fields: (t) => ({
    cursor: t.exposeString('cursor'),
    events: t.field({ type: [UpdateEvent], resolve: ({ events }) => [...events] }),
  }),
});

const UpdateEventFilter = builder.inputType('UpdateEventFilter', {
  fields: (t) => ({
    type: t.field({ type: PackageType }),
    deviceId: t.id(),
    deviceProfileId: t.id(),
  }),
});

builder.subscriptionField('updateEvents', (t) =>
  t.field({
    type: UpdateEventBatchType,
    description:
      'Every change of state, in order, without gap or repetition. The first batch comes at once, perhaps empty.',
    args: {
      after: t.arg.string({ description: 'The cursor of the last batch that was received. Absent: from now on.' }),
      filter: t.arg({ type: UpdateEventFilter }),
    },
    subscribe: (_root, { after, filter }, context) => {
      const wanted = {
        actor: permit(context.viewer, 'updateEvents'),
        type: filter?.type ?? null,
        deviceId: filter?.deviceId ?? null,
        deviceProfileId: filter?.deviceProfileId ?? null,
      };
      const { updateFeed, services } = context;
      const seq = after == null ? updateFeed.head() : seqOf(services.eventLog, after);
      return live(context, batches(updateFeed, seq, wanted, services.limits.cursorRefreshMs));
    },
    resolve: (batch: UpdateEventBatch) => batch,
  }),
);

/** The first at once; then as fast as can be read while it is behind, and beat by beat once it is not. */
function batches(
  feed: UpdateFeed,
  after: number,
  wanted: Wanted,
  refreshMs: number,
): (signal: AbortSignal) => Promise<UpdateEventBatch | null> {
  let seq = after;
  let isBehind = true;
  let sentAt = -Infinity;
  return async (signal) => {
    while (!signal.aborted) {
      if (!isBehind) await feed.nextBeat();
      if (signal.aborted) break;
      const read = await feed.read(seq, wanted);
      const isNew = read.upTo > seq;
      ({ upTo: seq, isBehind } = read);
      const isFirst = sentAt === -Infinity;
      const isStale = isNew && performance.now() - sentAt >= refreshMs;
      if (read.batch.events.length === 0 && !isFirst && !isStale) continue;
      sentAt = performance.now();
      return read.batch;
    }
    return null;
  };
}
