import type { JSX } from 'solid-js';
import type { DeviceFilter } from '../../live/device-list.ts';
import type { PackageType } from '../../live/graphql.ts';
import { devicesPath } from '../../paths.ts';

/** Firmware or software: a device has an update of each. */
export function TypeSwitch(props: { filter: DeviceFilter }): JSX.Element {
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
