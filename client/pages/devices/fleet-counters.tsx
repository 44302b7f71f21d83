/** The fleet by state: a bar, and counters that are links to the devices that they count. */
import { For, Show } from 'solid-js';
import type { JSX } from 'solid-js';
import type { DeviceFilter } from '../../live/device-list.ts';
import { countOf } from '../../live/fleet-summary.ts';
import type { FleetSummary } from '../../live/fleet-summary.ts';
import type { UpdateState } from '../../live/graphql.ts';
import { IN_FLIGHT, STATE_WORD, UPDATE_STATES } from '../../live/update-state.ts';
import { devicesPath } from '../../paths.ts';
import { StateIcon } from '../../ui/state-icon.tsx';
import { share, whole } from '../../ui/words.ts';

interface CountersProps {
  readonly summary: FleetSummary;
  readonly filter: DeviceFilter;
}

export function FleetCounters(props: CountersProps): JSX.Element {
  return (
    <section class="border-b border-line" aria-label="The fleet by state">
      <FleetBar summary={props.summary} />
      <nav class="fleet-counters" aria-label="Show devices by state">
        <Counter {...props} name="Waiting" icon="QUEUED" states={['QUEUED']} />
        <Counter {...props} name="In flight" icon="UPDATING" states={IN_FLIGHT}>
          <ul class="-my-0.5 grid grid-flow-col grid-cols-[auto_auto_auto_auto] grid-rows-[24px_24px_24px] gap-x-2.5 text-11 @max-wide:hidden">
            <For each={IN_FLIGHT}>{(state) => <SplitCounter {...props} state={state} />}</For>
          </ul>
        </Counter>
        <Counter {...props} name="Updated" icon="UPDATED" states={['UPDATED']} />
        <Counter {...props} name="Failed" icon="FAILED" states={['FAILED']} />
        <Counter {...props} name="Canceled" icon="CANCELED" states={['CANCELED']} />
        <Counter {...props} name="No update" icon="NONE" states={['NONE']} />
      </nav>
    </section>
  );
}

function FleetBar(props: { summary: FleetSummary }): JSX.Element {
  return (
    <div class="mx-6 flex h-3 gap-px contain-layout @max-desk:mx-4" aria-hidden="true">
      <For each={UPDATE_STATES}>
        {(state) => (
          <Show when={props.summary.counts[state] > 0}>
            <i
              data-state={state}
              class={`fleet-bar-part ${state === 'FAILED' ? 'hatch' : ''}`}
              style={{ 'flex-grow': props.summary.counts[state] }}
            />
          </Show>
        )}
      </For>
    </div>
  );
}

function Counter(
  props: CountersProps & {
    name: string;
    icon: UpdateState;
    states: readonly UpdateState[];
    children?: JSX.Element;
  },
): JSX.Element {
  const count = () => countOf(props.summary, props.states);
  return (
    <div class="relative flex justify-between gap-4 border-s border-line px-6 py-3 first:border-s-0 hover:bg-hover has-[>a[aria-current]]:bg-selected @max-desk:px-4">
      <StateLink {...props} class="grid content-start gap-px after:absolute after:inset-0">
        <span class="flex items-center gap-1.5 text-12 whitespace-nowrap text-ink-2">
          <StateIcon state={props.icon} />
          {props.name}
        </span>
        <span
          class="figure text-24 leading-[30px] font-strong tracking-[-.025em]"
          classList={{ 'text-bad': props.icon === 'FAILED' && count() > 0, 'text-ink-3': count() === 0 }}
        >
          {whole(count())}
        </span>
        <span class="min-h-[18px] text-12 text-ink-3 @max-desk:hidden">
          <Show when={count() > 0}>{share(count(), props.summary.deviceCount)}</Show>
        </span>
      </StateLink>
      {props.children}
    </div>
  );
}

function SplitCounter(props: CountersProps & { state: (typeof IN_FLIGHT)[number] }): JSX.Element {
  const count = () => props.summary.counts[props.state];
  return (
    <li class="contents">
      <StateLink
        {...props}
        states={[props.state]}
        class="relative col-span-2 grid grid-cols-subgrid items-center text-ink-2 hover:underline aria-[current]:font-strong aria-[current]:text-ink"
      >
        <span class="flex items-center gap-1.5">
          <StateIcon state={props.state} class="size-2.5!" />
          {STATE_WORD[props.state]}
        </span>
        <span class="figure text-end">{whole(count())}</span>
      </StateLink>
    </li>
  );
}

/** Following it again takes the filter away. */
function StateLink(props: {
  filter: DeviceFilter;
  states: readonly UpdateState[];
  class: string;
  children: JSX.Element;
}): JSX.Element {
  const isCurrent = () => props.filter.states?.join() === props.states.join();
  return (
    <a
      href={devicesPath({ ...props.filter, states: isCurrent() ? null : props.states })}
      aria-current={isCurrent() ? 'true' : undefined}
      class={props.class}
    >
      {props.children}
    </a>
  );
}
