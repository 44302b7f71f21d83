/** Why there is no row, and what to do about it. */
import { Show, createResource } from 'solid-js';
import type { JSX } from 'solid-js';
import { CountQuery } from '../../live/device.ts';
import type { DeviceFilter } from '../../live/device-list.ts';
import { useLive } from '../../live/live-context.ts';
import { devicesPath } from '../../paths.ts';
import { ButtonLink } from '../../ui/button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { whole } from '../../ui/words.ts';
import { filterInWords } from './filter-words.ts';

/** The fleet is empty. */
export function NoDevices(): JSX.Element {
  const { session } = useLive();
  return (
    <Show
      when={session.current()?.isAdmin}
      fallback={
        <Notice title="No device is yours yet.">
          <p>An administrator gives devices to a customer. They appear here by themselves.</p>
        </Notice>
      }
    >
      <Notice title="No devices yet.">
        <p>
          Devices appear here as soon as they are made, and each row changes as its device reports. Make a profile, then
          a device that has it; the answer holds the access token with which the device speaks.
        </p>
        <pre class="rounded-control border border-line bg-sunken px-3 py-2.5 text-11 leading-[18px] break-words whitespace-pre-wrap text-ink">
          {commands(location.origin)}
        </pre>
        <p>TOKEN is what the mutation login answers, or an API key.</p>
      </Notice>
    </Show>
  );
}

/** The filter lets nothing through. */
export function NoMatch(props: { filter: DeviceFilter; deviceCount: number }): JSX.Element {
  const { server } = useLive();
  const withoutStates = () => ({ ...props.filter, states: null });
  const withoutSearch = () => ({ ...props.filter, search: '' });
  const isDouble = () => props.filter.states !== null && props.filter.search !== '';
  const [count] = createResource(
    () => isDouble() && withoutStates(),
    async (filter) => (await server.ask(CountQuery, { ...filter, states: null })).devices.totalCount,
  );
  return (
    <Notice
      title="No device matches."
      acts={
        <>
          <Show when={props.filter.states}>
            <ButtonLink href={devicesPath(withoutStates())}>Drop the state</ButtonLink>
          </Show>
          <Show when={props.filter.search}>
            <ButtonLink look={isDouble() ? 'quiet' : 'plain'} href={devicesPath(withoutSearch())}>
              Drop the name
            </ButtonLink>
          </Show>
        </>
      }
    >
      <p>
        {filterInWords(props.filter)}{' '}
        <Show when={isDouble()} fallback={`Without it there ${are(props.deviceCount)}.`}>
          <Show when={count.state === 'ready'}>{`Without the state there ${are(count() ?? 0)}.`}</Show>
        </Show>
      </p>
    </Notice>
  );
}

function are(count: number): string {
  return count === 0 ? 'is none either' : count === 1 ? 'is 1' : `are ${whole(count)}`;
}

function commands(origin: string): string {
  const call = (query: string): string =>
    `curl -s ${origin}/graphql -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' \\\n  -d '{"query":"${query}"}'`;
  return [
    call(
      'mutation { createDeviceProfile(input: {name: \\"heatpump-hp3\\"}) { ... on DeviceProfile { id } ... on Error { message } } }',
    ),
    call(
      'mutation { createDevice(input: {name: \\"hp3-1\\", deviceProfileId: \\"…\\"}) { ... on Device { accessToken } ... on Error { message } } }',
    ),
  ].join('\n');
}
