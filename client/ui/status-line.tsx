/** Whether the page is live, as of when if it is not, and what goes by. */
import { Match, Show, Switch, createEffect, createMemo, on, onCleanup } from 'solid-js';
import WifiOff from 'lucide-solid/icons/wifi-off';
import type { JSX } from 'solid-js';
import type { Recent } from '../live/activity.ts';
import { now } from '../live/clock.ts';
import { useLive } from '../live/live-context.ts';
import { Button } from './button.tsx';
import { Key } from './key.tsx';
import { useShownTime } from './shown-time.ts';
import { TIME_ZONE, counted, timeOfDay } from './words.ts';

export function StatusLine(props: { recent: Recent; caughtUp: number | null }): JSX.Element {
  const { server } = useLive();
  const shownTime = useShownTime();
  const standing = server.connection.standing;
  return (
    <footer
      aria-label="Status"
      class="flex items-center overflow-hidden border-t border-line px-3 text-11 whitespace-nowrap text-ink-2 [grid-area:status] max-desk:px-4"
    >
      <output class="flex items-center gap-1.5 pe-2.5">
        <span
          aria-hidden="true"
          class="size-[7px] rounded-full"
          classList={{
            'bg-live': standing().kind === 'live',
            'shadow-[inset_0_0_0_1.5px_var(--warn-ink)]': standing().kind === 'lost',
            'shadow-[inset_0_0_0_1.5px_var(--line-control)]': standing().kind === 'connecting',
          }}
        />
        <Switch>
          <Match when={standing().kind === 'live'}>
            <span class="text-ink">Live</span>
          </Match>
          <Match when={standing().kind === 'connecting'}>Connecting</Match>
          <Match when={asOfOf(standing())}>
            {(asOf) => <span class="text-warn">Reconnecting — as of {timeOfDay(asOf())}</span>}
          </Match>
          <Match when={true}>
            <span class="text-warn">Reconnecting</span>
          </Match>
        </Switch>
        <Show when={props.caughtUp !== null}>
          <span class="ms-2.5 border-s border-line ps-2.5 text-ink">
            Caught up: {counted(props.caughtUp ?? 0, 'change')}
          </span>
        </Show>
      </output>
      <Show when={standing().kind === 'live'}>
        <span class="figure border-s border-line px-2.5">
          {counted(props.recent.count, 'change')} {props.recent.isMinute ? 'in the last minute' : 'so far'}
        </span>
      </Show>
      <span class="figure ms-auto max-desk:hidden">
        {timeOfDay(shownTime())} {TIME_ZONE}
      </span>
      <span class="ps-4 max-desk:hidden">
        <Key>/</Key> search <Key>j</Key> <Key>k</Key> rows
      </span>
    </footer>
  );
}

function asOfOf(standing: ReturnType<ReturnType<typeof useLive>['server']['connection']['standing']>): number | null {
  return standing.kind === 'lost' ? standing.asOf : null;
}

/** Floats over the page's foot, and pushes nothing. */
export function ReconnectingBanner(): JSX.Element {
  const { server } = useLive();
  const { connection } = server;
  const lost = createMemo(() => {
    const standing = connection.standing();
    return standing.kind === 'lost' ? standing : null;
  });
  const seconds = createMemo(() => {
    const retryAt = lost()?.retryAt;
    return retryAt == null ? 0 : Math.max(0, Math.ceil((retryAt - now()) / 1_000));
  });
  createEffect(
    on(
      () => lost() !== null,
      (isLost) => {
        if (!isLost) return;
        const stop = new AbortController();
        const tryNow = (): void => server.tryNow();
        window.addEventListener('online', tryNow, { signal: stop.signal });
        document.addEventListener('visibilitychange', () => document.hidden || tryNow(), { signal: stop.signal });
        onCleanup(() => stop.abort());
      },
    ),
  );
  return (
    <Show when={lost()}>
      {(standing) => (
        <div class="z-10 flex items-center gap-3 self-end border-y border-warn-line bg-warn-wash px-6 py-2 [grid-area:main] max-desk:grid max-desk:grid-cols-[auto_minmax(0,1fr)] max-desk:gap-y-2 max-desk:px-4 max-desk:py-2.5">
          <WifiOff class="size-3.5 flex-none text-warn max-desk:mt-[3px] max-desk:self-start" aria-hidden="true" />
          <p class="min-w-0">
            <b class="font-strong">Reconnecting.</b>{' '}
            <Show when={standing().asOf} fallback="The server does not answer.">
              {(asOf) =>
                `What you see is as of ${timeOfDay(asOf())} and stands still; devices may go on being updated.`
              }
            </Show>{' '}
            <Show when={seconds() > 0} fallback="Trying.">
              Trying again in <span class="inline-block min-w-[1ch] text-end">{seconds()}</span> s.
            </Show>
          </p>
          <Button
            isSmall
            class="ms-auto max-desk:col-start-2 max-desk:ms-0 max-desk:justify-self-start"
            onClick={() => server.tryNow()}
          >
            Try now
          </Button>
        </div>
      )}
    </Show>
  );
}
