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
          They appear here as soon as they are made, and each row changes as its device reports. Two steps lead to the
          first; send each to <code>{location.origin}/graphql</code> with the header{' '}
          <code class="whitespace-nowrap">authorization: Bearer …</code>, where … is the token that <code>login</code>{' '}
          answers or an API key.
        </p>
        <ol class="mt-1 border-t border-line">
          <Step
            number={1}
            title="A device profile"
            words="Devices that take the same packages."
            document={CREATE_PROFILE}
          />
          <Step
            number={2}
            title="A device"
            words="The answer holds its access token, once: with it the device speaks to Aloft."
            document={CREATE_DEVICE}
          />
        </ol>
      </Notice>
    </Show>
  );
}

const CREATE_PROFILE = `mutation {
  createDeviceProfile(input: { name: "heatpump-hp3" }) {
    ... on DeviceProfile { id }
    ... on Error { message }
  }
}`;

const CREATE_DEVICE = `mutation {
  createDevice(input: { name: "hp3-1", deviceProfileId: "the id of step 1" }) {
    ... on Device { accessToken }
    ... on Error { message }
  }
}`;

function Step(props: { number: number; title: string; words: string; document: string }): JSX.Element {
  return (
    <li class="grid grid-cols-[22px_180px_minmax(0,1fr)] gap-4 border-b border-line py-4 @max-desk:grid-cols-[22px_minmax(0,1fr)]">
      <span
        class="grid size-[22px] place-items-center rounded-full border border-line-strong text-12 text-ink-3"
        aria-hidden="true"
      >
        {props.number}
      </span>
      <div>
        <h3 class="font-strong text-ink">{props.title}</h3>
        <p class="text-12">{props.words}</p>
      </div>
      <pre class="rounded-control border border-line bg-sunken px-3 py-2.5 text-11 leading-[18px] break-words whitespace-pre-wrap text-ink @max-desk:col-start-2">
        {props.document}
      </pre>
    </li>
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
