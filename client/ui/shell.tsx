/** What stands around every page: where to go, who is signed in, and whether what is shown is live. */
import CircleUser from 'lucide-solid/icons/circle-user';
import Contrast from 'lucide-solid/icons/contrast';
import List from 'lucide-solid/icons/list';
import { useLocation, useNavigate } from '@solidjs/router';
import { Show } from 'solid-js';
import type { JSX } from 'solid-js';
import type { Recent } from '../live/activity.ts';
import { graphql } from '../live/graphql.ts';
import { useLive } from '../live/live-context.ts';
import { DEVICES_PATH, SIGN_IN_PATH, devicesPath } from '../paths.ts';
import { Brand } from './brand.tsx';
import { Button } from './button.tsx';
import { ReconnectingBanner, StatusLine } from './status-line.tsx';
import { changeTheme } from './theme-choice.ts';
import { whole } from './words.ts';

interface ShellProps {
  /** Of the whole fleet, once it is known. */
  readonly deviceCount: number | undefined;
  readonly recent: Recent;
  readonly caughtUp: number | null;
  readonly children: JSX.Element;
}

export function Shell(props: ShellProps): JSX.Element {
  const location = useLocation();
  return (
    <div class="shell">
      <a
        href="#main"
        class="absolute -top-12 left-2 z-50 bg-ink px-3 py-1.5 text-ink-inverse focus:top-2"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the devices
      </a>
      <header class="flex flex-col overflow-auto border-e border-line px-2 pt-3 pb-2 [grid-area:side] max-desk:hidden">
        <div class="px-2 pt-0.5 pb-3">
          <Brand />
        </div>
        <nav aria-label="Main">
          <a
            href={devicesPath()}
            aria-current={location.pathname === DEVICES_PATH ? 'page' : undefined}
            class="flex h-7 items-center gap-2 rounded-control px-2 text-ink-2 hover:bg-hover hover:text-ink aria-[current]:bg-selected aria-[current]:font-strong aria-[current]:text-ink"
          >
            <List class="size-3.5" aria-hidden="true" />
            Devices
            <span class="figure ms-auto text-12 font-normal text-ink-3">
              <Show when={props.deviceCount !== undefined}>{whole(props.deviceCount ?? 0)}</Show>
            </span>
          </a>
        </nav>
        <div class="mt-auto">
          <Account />
        </div>
      </header>
      <main
        id="main"
        tabindex="-1"
        class="@container relative min-w-0 overflow-auto bg-surface outline-none [grid-area:main]"
      >
        {props.children}
      </main>
      <ReconnectingBanner />
      <StatusLine recent={props.recent} caughtUp={props.caughtUp} />
      <Tabs />
    </div>
  );
}

const Logout = graphql(`
  mutation Logout {
    logout {
      __typename
      ... on Error {
        message
      }
    }
  }
`);

function Account(): JSX.Element {
  const { session, server } = useLive();
  const navigate = useNavigate();
  const signOut = async (): Promise<void> => {
    const { error } = await server.client.mutation(Logout, {}).toPromise();
    session.end(
      error ? 'You are signed out here. The server did not answer, so the session itself ends by its date.' : null,
    );
    navigate(SIGN_IN_PATH);
  };
  return (
    <div class="grid gap-2 px-2 pt-2 pb-0.5 text-12 leading-[1.35]">
      <p class="min-w-0">
        <span class="block truncate font-strong" title={session.current()?.email}>
          {session.current()?.email}
        </span>
        <span class="block truncate text-ink-3">{session.current()?.house}</span>
      </p>
      <div class="-mx-2 flex items-center justify-between">
        <Button isSmall look="quiet" onClick={() => void signOut()}>
          Sign out
        </Button>
        <Button
          isSmall
          look="quiet"
          class="w-6 px-0! pointer-coarse:w-11"
          aria-label="Change between light and dark"
          onClick={changeTheme}
        >
          <Contrast class="size-3.5" aria-hidden="true" />
        </Button>
      </div>
    </div>
  );
}

/** On a phone the side is a bar at the foot. */
function Tabs(): JSX.Element {
  const look =
    'grid place-items-center content-center gap-0.5 text-11 leading-[14px] text-ink-3 aria-[current]:font-strong aria-[current]:text-ink aria-[current]:shadow-[inset_0_2px_var(--ink)]';
  return (
    <nav aria-label="Main" class="hidden grid-cols-2 border-t border-line [grid-area:tabs] max-desk:grid">
      <a href={devicesPath()} aria-current="page" class={look}>
        <List class="size-[18px]" aria-hidden="true" />
        Devices
      </a>
      <button type="button" popovertarget="account" class={look}>
        <CircleUser class="size-[18px]" aria-hidden="true" />
        Account
      </button>
      <div
        id="account"
        popover="auto"
        class="inset-auto right-3 bottom-22 m-0 w-60 rounded-overlay border border-line-strong bg-raised p-2 text-ink shadow-menu"
      >
        <Account />
      </div>
    </nav>
  );
}
