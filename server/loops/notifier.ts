/** Tells queued devices at their tenant's pace. */
import type { Pace } from '../domain/pacing.ts';
import { tell, tenantsToTell } from '../domain/tell.ts';
import type { LoopServices } from './enqueuer.ts';
import { Loop } from './loop.ts';

/** Between two looks, so that a quick pace is kept in groups and not in single steps. */
const TICK_MS = 20;

export function startNotifier({ clock, logger, transaction, limits }: LoopServices, pace: Pace): Loop {
  const pass = async (signal: AbortSignal): Promise<number | undefined> => {
    const tenants = await transaction(tenantsToTell);
    let next = Infinity;
    for (const tenantId of tenants) {
      if (signal.aborted) return undefined;
      const telling = await transaction((query) => tell(query, tenantId, pace, clock.now()));
      if (telling !== undefined) next = Math.min(next, telling.nextAt);
    }
    return tenants.length === 0 ? undefined : Math.max(TICK_MS, next - clock.now());
  };
  return new Loop('notifier', pass, limits.loopIdleMs, logger);
}
