/** Every device and how far its update is, live. */
import { useLocation } from '@solidjs/router';
import { Match, Show, Switch, createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { JSX } from 'solid-js';
import { useCaughtUp, useRecentChanges } from '../../live/activity.ts';
import { movedCount } from '../../live/device-list.ts';
import type { DeviceFilter } from '../../live/device-list.ts';
import { countOf, useFleetSummary } from '../../live/fleet-summary.ts';
import type { PackageType } from '../../live/graphql.ts';
import { useLive } from '../../live/live-context.ts';
import { useDeviceList } from '../../live/use-device-list.ts';
import { devicesPath, readDeviceFilter } from '../../paths.ts';
import { Announcer } from '../../ui/announcer.tsx';
import { Button } from '../../ui/button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Shell } from '../../ui/shell.tsx';
import { whole } from '../../ui/words.ts';
import { Bones } from './bones.tsx';
import { DeviceTable } from './device-table.tsx';
import { FilterBar } from './filter-bar.tsx';
import { FleetCounters } from './fleet-counters.tsx';
import { NoDevices, NoMatch } from './no-devices.tsx';
import { verdictOf } from './verdict.ts';
import './device-table.css';
import './devices-page.css';

/** Nothing is shown for this long; then the bones of what will be. */
const BONES_AFTER_MS = 300;

export function DevicesPage(): JSX.Element {
  const { server } = useLive();
  const location = useLocation();
  const filter = createMemo(() => readDeviceFilter(new URLSearchParams(location.search)), undefined, {
    equals: isSameFilter,
  });
  const latestSummary = useFleetSummary(() => filter().type);
  const summary = createMemo(() => (latestSummary()?.type === filter().type ? latestSummary() : null));
  const used = useDeviceList(filter, () => summary()?.deviceCount);
  const caughtUp = useCaughtUp(server.connection.standing, used.eventCount);
  const recent = useRecentChanges(used.eventCount);
  const isCurrent = () => used.list()?.filter === filter();
  const isLate = useLate(() => !isCurrent());
  const list = () => (isCurrent() || !isLate() ? used.list() : null);
  const moved = createMemo(() => {
    const known = used.list();
    return known && isCurrent() ? movedCount(known) : 0;
  });
  /** Counters are exact and live; what was searched for was counted when it was read. */
  const matchCount = createMemo(() => {
    const { states, search } = filter();
    const counted = summary();
    if (search !== '') return isCurrent() ? (used.list()?.total ?? null) : null;
    return counted && (states === null ? counted.deviceCount : countOf(counted, states));
  });

  let head!: HTMLDivElement;
  useHeadHeight(() => head);
  return (
    <Shell deviceCount={summary()?.deviceCount} recent={recent()} caughtUp={caughtUp()}>
      <div data-lost={server.connection.standing().kind === 'lost' ? '' : undefined}>
        <header class="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-6 py-1.5 max-desk:px-4">
          <h1 class="text-15 font-strong tracking-[-.005em]">Devices</h1>
          <span class="figure min-w-[2ch] text-ink-3">
            <Show when={summary()}>{(known) => whole(known().deviceCount)}</Show>
          </span>
          <TypeSwitch filter={filter()} />
        </header>
        <Show when={summary()}>
          {(known) => (
            <Show when={known().deviceCount > 0}>
              <section class="px-6 pt-4 pb-3.5 max-desk:px-4" aria-labelledby="verdict">
                <h2
                  id="verdict"
                  class="figure text-24 font-strong tracking-[-.02em] text-balance max-desk:text-[21px] max-desk:leading-[26px]"
                >
                  {verdictOf(known()).sentence}
                </h2>
                <p class="min-h-5 text-ink-2">{verdictOf(known()).rest}</p>
              </section>
              <FleetCounters summary={known()} filter={filter()} />
            </Show>
          )}
        </Show>
        <div ref={head} class="sticky top-0 z-[3]">
          <Show when={summary()?.deviceCount !== 0}>
            <FilterBar filter={filter()} matchCount={matchCount()} movedCount={moved()} onSortAgain={used.sortAgain} />
          </Show>
        </div>
        <Switch>
          <Match when={used.failure() && server.connection.standing().kind !== 'lost' && used.failure()}>
            {(failure) => (
              <Notice title="The devices could not be read." acts={<Button onClick={used.again}>Try again</Button>}>
                <p>{failure().message} The counters above are live and right.</p>
              </Notice>
            )}
          </Match>
          <Match when={summary()?.deviceCount === 0 && list()?.shown.length === 0}>
            <NoDevices />
          </Match>
          <Match when={isCurrent() && list()?.shown.length === 0}>
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

function TypeSwitch(props: { filter: DeviceFilter }): JSX.Element {
  return (
    <nav
      aria-label="Package type"
      class="ms-2 inline-flex flex-none overflow-hidden rounded-control border border-line-strong"
    >
      <TypeLink filter={props.filter} type="FIRMWARE" word="Firmware" />
      <TypeLink filter={props.filter} type="SOFTWARE" word="Software" />
    </nav>
  );
}

function TypeLink(props: { filter: DeviceFilter; type: PackageType; word: string }): JSX.Element {
  return (
    <a
      href={devicesPath({ ...props.filter, type: props.type })}
      aria-current={props.filter.type === props.type ? 'page' : undefined}
      class="inline-flex h-[calc(var(--control)-2px)] items-center border-s border-line px-2.5 text-12 text-ink-2 first:border-0 hover:bg-hover focus-visible:-outline-offset-2 aria-[current]:bg-selected aria-[current]:font-strong aria-[current]:text-ink"
    >
      {props.word}
    </a>
  );
}

function isSameFilter(one: DeviceFilter, other: DeviceFilter): boolean {
  return one.type === other.type && one.search === other.search && one.states?.join() === other.states?.join();
}

/** @returns whether it has been so for longer than people notice */
function useLate(isWaiting: () => boolean): () => boolean {
  const [isLate, setLate] = createSignal(false);
  createEffect(
    on(isWaiting, (waiting) => {
      setLate(false);
      if (!waiting) return;
      const timer = setTimeout(() => setLate(true), BONES_AFTER_MS);
      onCleanup(() => clearTimeout(timer));
    }),
  );
  return isLate;
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
