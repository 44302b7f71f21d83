import { createMemo } from 'solid-js';
import type { Accessor } from 'solid-js';
import { now } from '../live/clock.ts';
import { useLive } from '../live/live-context.ts';

/** The time that a page speaks of, in ms since 1970: now, or when the connection was lost, for what is shown is of then. */
export function useShownTime(): Accessor<number> {
  const { server } = useLive();
  return createMemo(() => {
    const standing = server.connection.standing();
    return standing.kind === 'lost' && standing.asOf !== null ? standing.asOf : now();
  });
}
