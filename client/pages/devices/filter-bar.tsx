/** What is shown of the fleet, as sentences that can be taken away one by one. */
import { useNavigate } from '@solidjs/router';
import Search from 'lucide-solid/icons/search';
import X from 'lucide-solid/icons/x';
import { Show, createEffect, onCleanup, onMount } from 'solid-js';
import type { JSX } from 'solid-js';
import type { DeviceFilter } from '../../live/device-list.ts';
import { SEARCH_CHARACTERS_MAX, devicesPath } from '../../paths.ts';
import { Button, ButtonLink } from '../../ui/button.tsx';
import { Key } from '../../ui/key.tsx';
import { useKeys } from '../../ui/keys.ts';
import { counted, whole } from '../../ui/words.ts';
import { statesInWords } from './filter-words.ts';

/** A pause in typing. */
const SEARCH_AFTER_MS = 200;

export function FilterBar(props: {
  filter: DeviceFilter;
  /** Null while it is not known. */
  matchCount: number | null;
  movedCount: number;
  onSortAgain: () => void;
}): JSX.Element {
  const isFiltered = () => props.filter.states !== null || props.filter.search !== '';
  useKeys({ s: () => props.movedCount > 0 && props.onSortAgain() });
  return (
    <search
      aria-label="Filter devices"
      class="flex flex-wrap items-center gap-1.5 border-b border-line bg-surface px-6 py-2 @max-desk:px-4"
    >
      <SearchBox filter={props.filter} />
      <Show when={props.filter.states}>
        {(states) => (
          <Condition name="State is" value={statesInWords(states())} without={{ ...props.filter, states: null }} />
        )}
      </Show>
      <Show when={props.filter.search !== ''}>
        <Condition name="Name has" value={props.filter.search} without={{ ...props.filter, search: '' }} />
      </Show>
      <Show when={props.filter.states !== null && props.filter.search !== ''}>
        <ButtonLink isSmall look="quiet" href={devicesPath({ type: props.filter.type })}>
          Clear
        </ButtonLink>
      </Show>
      <span class="px-1 text-12 text-ink-3">
        <Show when={isFiltered() && props.matchCount !== null}>
          {props.matchCount === 1 ? '1 matches' : `${whole(props.matchCount ?? 0)} match`}
        </Show>
      </span>
      <Show when={props.movedCount > 0}>
        <span class="ms-auto flex items-center gap-2 text-12 text-ink-2">
          <span>
            <b class="font-strong">{counted(props.movedCount, 'row')}</b> {props.movedCount === 1 ? 'has' : 'have'}{' '}
            moved while you look
          </span>
          <Button isSmall onClick={() => props.onSortAgain()}>
            Sort again <Key>S</Key>
          </Button>
        </span>
      </Show>
    </search>
  );
}

function SearchBox(props: { filter: DeviceFilter }): JSX.Element {
  const navigate = useNavigate();
  let field!: HTMLInputElement;
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));
  useKeys({
    '/': () => {
      field.focus();
      field.select();
    },
  });
  const search = (): void => {
    clearTimeout(timer);
    navigate(devicesPath({ ...props.filter, search: field.value.trim() }), { replace: true, scroll: false });
  };
  onMount(() => (field.value = props.filter.search));
  // The address may change without the box: by a link, by going back. What is being typed is left alone.
  createEffect(() => {
    const { search: searched } = props.filter;
    if (document.activeElement !== field) field.value = searched;
  });
  return (
    <label class="flex h-(--control) w-60 flex-none items-center gap-1.5 rounded-control border border-line-control bg-raised px-2 text-ink-3 focus-within:outline-2 focus-within:outline-offset-1 focus-within:outline-focus @max-desk:w-full">
      <Search class="size-3.5 flex-none" aria-hidden="true" />
      <span class="sr-only">Search by name</span>
      <input
        ref={field}
        type="search"
        class="w-full min-w-0 appearance-none bg-transparent text-ink outline-none pointer-coarse:text-[16px] [&::-webkit-search-cancel-button]:hidden"
        placeholder="Name"
        maxlength={SEARCH_CHARACTERS_MAX}
        autocomplete="off"
        spellcheck={false}
        onInput={() => {
          clearTimeout(timer);
          timer = setTimeout(search, SEARCH_AFTER_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') search();
          if (event.key !== 'Escape') return;
          if (field.value === '') field.blur();
          field.value = '';
          search();
        }}
      />
      <Key>/</Key>
    </label>
  );
}

function Condition(props: { name: string; value: string; without: DeviceFilter }): JSX.Element {
  return (
    <span class="inline-flex h-6 max-w-full items-stretch rounded-control border border-line-strong bg-raised text-12 pointer-coarse:h-11">
      <span class="flex min-w-0 items-center gap-1 px-2">
        <span class="flex-none text-ink-3">{props.name}</span>
        <span class="truncate" title={props.value}>
          {props.value}
        </span>
      </span>
      <a
        href={devicesPath(props.without)}
        aria-label={`Remove: ${props.name.toLowerCase()} ${props.value}`}
        class="grid w-6 flex-none place-items-center border-s border-line text-ink-3 hover:bg-hover hover:text-ink pointer-coarse:w-11"
      >
        <X class="size-3" aria-hidden="true" />
      </a>
    </span>
  );
}
