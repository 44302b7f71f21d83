/** A followed list as a component has it: painted once per frame, replaced when the filter changes. */
import { createEffect, createSignal, on, onCleanup, untrack } from 'solid-js';
import type { Accessor } from 'solid-js';
import type { Received } from './activity.ts';
import { DeviceFollower } from './device-follower.ts';
import type { DeviceFilter, DeviceList } from './device-list.ts';
import { useLive } from './live-context.ts';
import { oncePerFrame } from './once-per-frame.ts';
import type { Refusal } from './refusal.ts';

export interface UsedDeviceList {
  /** The last that was read: of the former filter until the present one's is there. Null at first. */
  readonly list: Accessor<DeviceList | null>;
  readonly failure: Accessor<Refusal | null>;
  /** What came of the log so far, for all lists. */
  readonly received: Accessor<Received>;
  hold(isHeld: boolean): void;
  sortAgain(): void;
  more(): void;
  again(): void;
}

export function useDeviceList(
  filter: Accessor<DeviceFilter>,
  deviceCount: Accessor<number | undefined>,
): UsedDeviceList {
  const { server } = useLive();
  const [list, setList] = createSignal<DeviceList | null>(null);
  const [failure, setFailure] = createSignal<Refusal | null>(null);
  const [received, setReceived] = createSignal<Received>({ batchCount: 0, eventCount: 0 });
  let follower: DeviceFollower | null = null;
  let isHeld = false;

  createEffect(() => {
    const asked = filter();
    let latest: DeviceList | null = null;
    const before = untrack(received);
    const paint = oncePerFrame(() => {
      if (latest === null) return;
      if (latest.isRead) setList(latest);
      const { batchCount, eventCount } = latest;
      setReceived({
        batchCount: before.batchCount + batchCount,
        eventCount: before.eventCount + eventCount,
      });
    });
    const tell = (told: DeviceList): void => {
      latest = told;
      paint();
    };
    setFailure(null);
    const following = new DeviceFollower(server, asked, tell, setFailure);
    follower = following;
    if (isHeld) following.dispatch({ kind: 'hold' });
    onCleanup(() => {
      following[Symbol.dispose]();
      paint.cancel();
    });
  });

  // No update tells that a device was made or deleted; the count does.
  createEffect(
    on(
      deviceCount,
      (count, former) => {
        if (former !== undefined && count !== former) follower?.dispatch({ kind: 'outdated' });
      },
      { defer: true },
    ),
  );

  return {
    list,
    failure,
    received,
    hold(held) {
      isHeld = held;
      follower?.dispatch({ kind: held ? 'hold' : 'release' });
    },
    sortAgain: () => follower?.dispatch({ kind: 'sortAgain' }),
    more: () => follower?.more(),
    again: () => {
      server.tryNow();
      follower?.again();
    },
  };
}
