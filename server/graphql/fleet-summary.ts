/** Devices by the state of their latest update. */
import { permit } from '../domain/access.ts';
import { fleetCounts } from '../domain/fleet.ts';
import type { StateCount } from '../domain/fleet.ts';
import { builder } from './builder.ts';
import { PackageType, UpdateState } from './enums.ts';

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
