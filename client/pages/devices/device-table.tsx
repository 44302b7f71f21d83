/* oxlint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role, jsx-a11y/no-noninteractive-element-to-interactive-role --
   on a phone a row is laid out as a grid, which takes the roles that a table implies away from it */
/**
 * The devices that match, live. Rows change where they are. While the pointer, the focus or the scroll is on them nothing comes or goes:
 * what would is counted, and comes when it is asked for.
 */
import ArrowUp from 'lucide-solid/icons/arrow-up';
import { For, Show, createEffect, createMemo, createSignal, onCleanup } from 'solid-js';
import type { JSX } from 'solid-js';
import { ROWS_MAX } from '../../live/device-follower.ts';
import type { DeviceList } from '../../live/device-list.ts';
import { Button } from '../../ui/button.tsx';
import { useKeys } from '../../ui/keys.ts';
import { whole } from '../../ui/words.ts';
import { DeviceRowView } from './device-row.tsx';

const COLUMNS = [
  { name: 'Device', class: 'w-40' },
  { name: 'Profile', class: 'w-30 @max-mid:hidden' },
  { name: 'Current', class: 'w-19' },
  { name: 'Target', class: 'w-19' },
  { name: 'State', class: 'w-29' },
  { name: 'Progress', class: 'w-60' },
  { name: 'In state', class: 'cell-since w-21 text-end' },
  { name: 'Last seen', class: 'cell-seen w-25 text-end @max-mid:hidden' },
  { name: 'What it said', class: 'cell-said' },
] as const;

export function DeviceTable(props: {
  list: DeviceList;
  /** Of all that match, shown or not; null while it is not known. */
  matchCount: number | null;
  isBusy: boolean;
  onHold: (isHeld: boolean) => void;
  onMore: () => void;
}): JSX.Element {
  let body!: HTMLTableSectionElement;
  useHold(() => body, props.onHold);
  useRowKeys(() => body);
  const restCount = () => (props.matchCount ?? props.list.total) - props.list.order.length;
  return (
    <>
      <table
        role="grid"
        class="device-table"
        aria-label="Devices"
        aria-rowcount={(props.matchCount ?? props.list.total) + 1}
        aria-busy={props.isBusy}
      >
        <thead role="rowgroup">
          <tr role="row" aria-rowindex="1">
            <For each={COLUMNS}>
              {({ name, class: look }, index) => (
                <th role="columnheader" scope="col" class={look} aria-sort={index() === 0 ? 'ascending' : undefined}>
                  {name}
                  <Show when={index() === 0}>
                    <ArrowUp class="ms-1 inline size-2.5 align-[-1px]" stroke-width="2.5" aria-hidden="true" />
                  </Show>
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody ref={body} role="rowgroup">
          <For each={props.list.shown}>
            {(id, index) => {
              const row = createMemo<
                DeviceList['rows'] extends ReadonlyMap<string, infer Row> ? Row | undefined : never
              >((last) => props.list.rows.get(id) ?? last);
              return <Show when={row()}>{(known) => <DeviceRowView row={known()} index={index()} />}</Show>;
            }}
          </For>
        </tbody>
      </table>
      <Show when={props.list.next !== null}>
        <MoreRows isAtBound={props.list.order.length >= ROWS_MAX} restCount={restCount()} onMore={props.onMore} />
      </Show>
    </>
  );
}

/** Reads on when it comes into view; for the keyboard it is a button. */
function MoreRows(props: { isAtBound: boolean; restCount: number; onMore: () => void }): JSX.Element {
  let foot!: HTMLDivElement;
  createEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && !props.isAtBound) props.onMore();
      },
      { rootMargin: '400px' },
    );
    observer.observe(foot);
    onCleanup(() => observer.disconnect());
  });
  return (
    <div ref={foot} class="flex min-h-10 items-center gap-3 px-6 py-2 text-12 text-ink-2 @max-desk:px-4">
      <Show
        when={!props.isAtBound}
        fallback={`The first ${whole(ROWS_MAX)} are shown. Search, or choose a state, to see others.`}
      >
        <Button isSmall onClick={() => props.onMore()}>
          Show more
        </Button>
        <span class="text-ink-3">{whole(Math.max(0, props.restCount))} further down</span>
      </Show>
    </div>
  );
}

function useHold(body: () => HTMLElement, hold: (isHeld: boolean) => void): void {
  const [isOver, setOver] = createSignal(false);
  const [isFocused, setFocused] = createSignal(false);
  const [isScrolled, setScrolled] = createSignal(false);
  const isHeld = createMemo(() => isOver() || isFocused() || isScrolled());
  createEffect(() => hold(isHeld()));
  createEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    const rows = body();
    rows.addEventListener('pointerenter', ({ pointerType }) => setOver(pointerType === 'mouse'), { signal });
    rows.addEventListener('pointerleave', () => setOver(false), { signal });
    rows.addEventListener('focusin', () => setFocused(true), { signal });
    rows.addEventListener('focusout', () => setFocused(false), { signal });
    const scroller = rows.closest('main');
    const look = (): void => {
      const head = rows.parentElement?.querySelector('thead');
      setScrolled(!!head && rows.getBoundingClientRect().top < head.getBoundingClientRect().bottom - 1);
    };
    scroller?.addEventListener('scroll', look, { signal, passive: true });
    onCleanup(() => stop.abort());
  });
}

/** j k and arrows go from row to row; Home and End to the ends; Esc leaves. */
function useRowKeys(body: () => HTMLElement): void {
  const step = (to: (index: number, last: number) => number) => () => {
    const rows = [...body().querySelectorAll<HTMLElement>('tr')];
    const index = rows.indexOf(document.activeElement as HTMLElement);
    rows[Math.min(rows.length - 1, Math.max(0, to(index, rows.length - 1)))]?.focus();
  };
  const inRows = (act: () => void) => (): void => {
    if (body().contains(document.activeElement)) act();
  };
  const down = step((index) => index + 1);
  const up = step((index) => index - 1);
  useKeys({ j: down, k: up, Escape: inRows(() => (document.activeElement as HTMLElement).blur()) });
  createEffect(() => {
    const arrows: Readonly<Record<string, () => void>> = {
      ArrowDown: down,
      ArrowUp: up,
      Home: step(() => 0),
      End: step((_index, last) => last),
    };
    const press = (event: KeyboardEvent): void => {
      const act = arrows[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    const rows = body();
    rows.addEventListener('keydown', press);
    onCleanup(() => rows.removeEventListener('keydown', press));
  });
}
