/** Devices by the state of their latest update. */
import { permit } from '../domain/access.ts';
import { fleetCounts } from '../domain/fleet.ts';
import type { StateCount } from '../domain/fleet.ts';
import { builder } from './builder.ts';
import type { Services } from './context.ts';
import { PackageType, UpdateState } from './enums.ts';
import { live, pause } from './live.ts';

export const StateCountType = builder.objectRef<StateCount>('StateCount').implement({
  fields: (t) => ({
    state: t.expose('state', { type: UpdateState }),
    count: t.exposeInt('count'),
  }),
});

export const FleetSummary = builder.objectRef<readonly StateCount[]>('FleetSummary').implement({
  fields: (t) => ({
    deviceCount: t.int({ resolve: (states) => states.reduce((sum, { count }) => sum + count, 0) }),
    states: t.field({
      type: [StateCountType],
      description: 'Every state in order, zeros included; devices without an update are NONE.',
      resolve: (states) => [...states],
    }),
  }),
});

builder.queryField('fleetSummary', (t) =>
  t.field({
    type: FleetSummary,
    args: { type: t.arg({ type: PackageType, required: true }), deviceProfileId: t.arg.id() },
    resolve: (_root, { type, deviceProfileId }, { services, viewer }) =>
      fleetCounts(services.query, permit(viewer, 'fleetSummary'), { type, deviceProfileId: deviceProfileId ?? null }),
  }),
);

builder.subscriptionField('fleetSummaryChanged', (t) =>
  t.field({
    type: FleetSummary,
    description: 'At once on subscribing, then whenever it changes, at most 10 times a second.',
    args: { type: t.arg({ type: PackageType, required: true }), deviceProfileId: t.arg.id() },
    subscribe: (_root, { type, deviceProfileId }, context) => {
      const actor = permit(context.viewer, 'fleetSummaryChanged');
      const filter = { type, deviceProfileId: deviceProfileId ?? null };
      return live(
        context,
        changes(context.services, () => context.fleetCounts.atHead(actor, filter)),
      );
    },
    resolve: (states: readonly StateCount[]) => states,
  }),
);

/** Counters change with what the log tells of, so they are read again when it grows. */
function changes(
  { eventLog, limits }: Services,
  read: () => Promise<readonly StateCount[]>,
): (signal: AbortSignal) => Promise<readonly StateCount[] | null> {
  let seq = eventLog.head();
  let sentAt = 0;
  let last: readonly StateCount[] | null = null;
  return async (signal) => {
    while (!signal.aborted) {
      if (last !== null) await eventLog.changed(seq, signal);
      await pause(sentAt + limits.fleetSummaryIntervalMs - performance.now());
      if (signal.aborted) return null;
      seq = eventLog.head();
      const counts = await read();
      if (last !== null && counts.every(({ count }, index) => count === last?.[index]?.count)) continue;
      last = counts;
      sentAt = performance.now();
      return counts;
    }
    return null;
  };
}
