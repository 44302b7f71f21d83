/** Live state changes, from the log. */
import { permit } from '../domain/access.ts';
import type { LogEvent } from '../domain/ports.ts';
import { builder } from './builder.ts';
import { PackageType } from './enums.ts';
import { FleetSummary } from './fleet-summary.ts';
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

builder.subscriptionFields((t) => ({
  updateEvents: t.field({
    type: UpdateEventBatchType,
    description: 'Every change of state, in order, without gap or repetition. The first batch comes at once, perhaps empty.',
    args: {
      after: t.arg.string({ description: 'The cursor of the last batch that was received. Absent: from now on.' }),
      filter: t.arg({ type: UpdateEventFilter }),
    },
    subscribe: (_root, _args, context) => {
      permit(context.viewer, 'updateEvents');
      throw new Error('not yet');
    },
    resolve: (batch: UpdateEventBatch) => batch,
  }),
  fleetSummaryChanged: t.field({
    type: FleetSummary,
    description: 'At once on subscribing, then whenever it changes, at most 10 times a second.',
    args: { type: t.arg({ type: PackageType, required: true }), deviceProfileId: t.arg.id() },
    subscribe: (_root, _args, context) => {
      permit(context.viewer, 'fleetSummaryChanged');
      throw new Error('not yet');
    },
    resolve: (states: (typeof FleetSummary)['$inferType']) => states,
  }),
}));
