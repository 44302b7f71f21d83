/** Which page is at which address. */
import { Navigate, Route, Router, useLocation } from '@solidjs/router';
import type { RouteSectionProps } from '@solidjs/router';
import { Show } from 'solid-js';
import type { JSX } from 'solid-js';
import { useLive } from './live/live-context.ts';
import { DevicesPage } from './pages/devices/devices-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { SignInPage } from './pages/sign-in/sign-in-page.tsx';
import { DEVICES_PATH, SIGN_IN_PATH, devicesPath, signInPath } from './paths.ts';

export function Routes(): JSX.Element {
  return (
    <Router>
      <Route path={SIGN_IN_PATH} component={SignInPage} />
      <Route path="/" component={SignedIn}>
        <Route path="/" component={() => <Navigate href={devicesPath()} />} />
        <Route path={DEVICES_PATH} component={DevicesPage} />
        <Route path="*" component={NotFoundPage} />
      </Route>
    </Router>
  );
}

/** Whoever is not signed in is asked to, and comes back to where they wanted to go. */
function SignedIn(props: RouteSectionProps): JSX.Element {
  const { session } = useLive();
  const location = useLocation();
  return (
    <Show
      when={session.current()?.token}
      keyed
      fallback={<Navigate href={signInPath(`${location.pathname}${location.search}`)} />}
    >
      {props.children}
    </Show>
  );
}
