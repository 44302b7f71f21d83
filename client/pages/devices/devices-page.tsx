/** Every device and how far its update is, live. */
import { useLocation } from '@solidjs/router';
import { Match, Show, Switch, createEffect, createMemo, onCleanup } from 'solid-js';
import type { JSX } from 'solid-js';
import { useCaughtUp, useRecentChanges } from '../../live/activity.ts';
import { movedCount } from '../../live/device-list.ts';
import type { DeviceFilter } from '../../live/device-list.ts';
import { countOf, useFleetSummary } from '../../live/fleet-summary.ts';
import { useLive } from '../../live/live-context.ts';
import { useDeviceList } from '../../live/use-device-list.ts';
import { readDeviceFilter } from '../../paths.ts';
import { Announcer } from '../../ui/announcer.tsx';
import { Button } from '../../ui/button.tsx';
import { InlineError } from '../../ui/inline-error.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Shell } from '../../ui/shell.tsx';
import { useLate } from '../../ui/late.ts';
import { useTitle } from '../../ui/title.ts';
import { whole } from '../../ui/words.ts';
import { Bones } from './bones.tsx';
import { DeviceTable } from './device-table.tsx';
import { FilterBar } from './filter-bar.tsx';
import { FleetHead } from './fleet-head.tsx';
import { NoDevices, NoMatch } from './no-devices.tsx';
import { TypeSwitch } from './type-switch.tsx';
import './device-table.css';
import './devices-page.css';

export function DevicesPage(): JSX.Element {
  const { server } = useLive();
  const location = useLocation();
  const filter = createMemo(() => readDeviceFilter(new URLSearchParams(location.search)), undefined, {
    equals: isSameFilter,
  });
  const summary = useFleetSummary(() => filter().type);
  /** The former type's figures stand until those of the present one are there. */
  const isSummaryCurrent = () => summary()?.type === filter().type;
  const used = useDeviceList(filter, () => summary()?.deviceCount);
  const caughtUp = useCaughtUp(server.connection.standing, used.received);
  const recent = useRecentChanges(used.received);
  const isCurrent = () => used.list()?.filter === filter();
  const isLate = useLate(() => !isCurrent());
  const list = () => (isCurrent() || !isLate() ? used.list() : null);
  const isFiltered = () => filter().states !== null || filter().search !== '';
  const moved = createMemo(() => {
    const known = used.list();
    return known && isCurrent() ? movedCount(known) : 0;
  });
  /** Counters are exact and live; what was searched for was counted when it was read. */
  const matchCount = createMemo(() => {
    const { states, search } = filter();
    const counted = summary();
    if (search !== '') return isCurrent() ? (used.list()?.total ?? null) : null;
    if (counted === null || !isSummaryCurrent()) return null;
    return states === null ? counted.deviceCount : countOf(counted, states);
  });

  useTitle('Devices');
  let head!: HTMLDivElement;
  useHeadHeight(() => head);
  return (
    <Shell deviceCount={summary()?.deviceCount} recent={recent()} caughtUp={caughtUp()}>
      <div data-weak={isSummaryCurrent() && server.connection.standing().kind !== 'lost' ? undefined : ''}>
        <header class="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-6 py-1.5 @max-desk:px-4">
          <h1 class="text-15 font-strong tracking-[-.005em]">Devices</h1>
          <span class="figure min-w-[2ch] text-ink-3">
            <Show when={summary()}>{(known) => whole(known().deviceCount)}</Show>
          </span>
          <TypeSwitch filter={filter()} />
        </header>
        <FleetHead summary={summary()} filter={filter()} />
        <div ref={head} class="sticky top-0 z-[3]">
          <Show when={summary()?.deviceCount !== 0}>
            <FilterBar filter={filter()} matchCount={matchCount()} movedCount={moved()} onSortAgain={used.sortAgain} />
          </Show>
        </div>
        <Show when={isCurrent() && used.failure()}>
          {(failure) => (
            <div class="border-b border-line px-6 py-2 @max-desk:px-4" role="alert">
              <InlineError
                title="The list could not be read again."
                detail={`${failure().message} Its rows go on changing live; devices that came or went since are missing.`}
              />
            </div>
          )}
        </Show>
        <Switch>
          <Match when={!isCurrent() && used.failure()}>
            {(failure) => (
              <Notice title="The devices could not be read." acts={<Button onClick={used.again}>Try again</Button>}>
                <p>{failure().message} The counters above are live and right.</p>
              </Notice>
            )}
          </Match>
          <Match when={summary()?.deviceCount === 0 && list()?.shown.length === 0}>
            <NoDevices />
          </Match>
          <Match when={isFiltered() && isCurrent() && list()?.shown.length === 0}>
            <NoMatch filter={filter()} deviceCount={summary()?.deviceCount ?? 0} />
          </Match>
          <Match when={list()}>
            {(known) => (
              <DeviceTable
                list={known()}
                matchCount={matchCount()}
                isBusy={!isCurrent()}
                onHold={used.hold}
                onMore={used.more}
              />
            )}
          </Match>
          <Match when={isLate()}>
            <Bones />
          </Match>
        </Switch>
        <Announcer summary={summary()} />
      </div>
    </Shell>
  );
}

function isSameFilter(one: DeviceFilter, other: DeviceFilter): boolean {
  return one.type === other.type && one.search === other.search && one.states?.join() === other.states?.join();
}

/** The table's head stops below what is above it, whose height depends on how it wraps. */
function useHeadHeight(head: () => HTMLElement): void {
  createEffect(() => {
    const element = head();
    const observer = new ResizeObserver(() => {
      element.parentElement?.style.setProperty('--head-height', `${element.offsetHeight}px`);
    });
    observer.observe(element);
    onCleanup(() => observer.disconnect());
  });
}
