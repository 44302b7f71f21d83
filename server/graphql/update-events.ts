/** Live state changes, from the log. */
import { permit } from '../domain/access.ts';
import { isWithin } from '../domain/actor.ts';
import type { LogEvent } from '../domain/ports.ts';
import { builder } from './builder.ts';
import type { Services } from './context.ts';
import { cursorOf, requireKept, seqOf } from './cursor.ts';
import { PackageType } from './enums.ts';
import { live, pause } from './live.ts';
import { UpdateEvent } from './update.ts';

export interface UpdateEventBatch {
  readonly cursor: string;
  readonly events: readonly LogEvent[];
}

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
      const actor = permit(context.viewer, 'updateEvents');
      return live(
        context,
        batches(context.services, after ?? null, (event) => isWithin(actor, event) && matches(filter ?? {}, event)),
      );
    },
    resolve: (batch: UpdateEventBatch) => batch,
  }),
);

function matches({ type, deviceId, deviceProfileId }: typeof UpdateEventFilter.$inferInput, event: LogEvent): boolean {
  return (
    (type == null || event.type === type) &&
    (deviceId == null || event.deviceId === deviceId) &&
    (deviceProfileId == null || event.deviceProfileId === deviceProfileId)
  );
}

/** Reads on from `after`, or from now: as fast as it can while it is behind, then as batches gather. */
function batches(
  { eventLog, limits }: Services,
  after: string | null,
  isWanted: (event: LogEvent) => boolean,
): (signal: AbortSignal) => Promise<UpdateEventBatch | null> {
  let seq = after === null ? eventLog.head() : seqOf(eventLog, after);
  let isFirst = true;
  let isBehind = true;
  let sentAt = 0;
  return async (signal) => {
    while (!signal.aborted) {
      if (!isFirst) await eventLog.changed(seq, signal);
      if (!isBehind) await pause(sentAt + limits.subscriptionBatchMs - performance.now(), signal);
      if (signal.aborted) return null;
      requireKept(eventLog, seq);
      const { events, upTo } = await eventLog.read(seq, limits.subscriptionBatchMax);
      const wanted = events.filter(isWanted);
      isBehind = events.length === limits.subscriptionBatchMax;
      seq = upTo;
      const isDue = isFirst || performance.now() - sentAt >= limits.cursorRefreshMs;
      if (wanted.length === 0 && !isDue) continue;
      isFirst = false;
      sentAt = performance.now();
      return { cursor: cursorOf(eventLog, seq), events: wanted };
    }
    return null;
  };
}
