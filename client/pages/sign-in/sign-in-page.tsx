import { useNavigate } from '@solidjs/router';
import { createMutation } from '@urql/solid';
import { Show, createEffect, createSignal, onMount } from 'solid-js';
import type { JSX } from 'solid-js';
import { graphql } from '../../live/graphql.ts';
import { useLive } from '../../live/live-context.ts';
import { Refusal, refusalOfRequest } from '../../live/refusal.ts';
import { readDestination } from '../../paths.ts';
import { Brand } from '../../ui/brand.tsx';
import { Button } from '../../ui/button.tsx';
import { InlineError } from '../../ui/inline-error.tsx';
import { useTitle } from '../../ui/title.ts';
import { useCountdown } from '../../ui/countdown.ts';
import { PassagePicture } from './passage-picture.tsx';

const Login = graphql(`
  mutation Login($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) {
      __typename
      ... on Session {
        token
        expiresAt
        viewer {
          email
          role
          tenant {
            name
          }
          customer {
            title
          }
        }
      }
      ... on Error {
        code
        message
      }
      ... on RateLimitedError {
        retryAfterMs
      }
    }
  }
`);

export function SignInPage(): JSX.Element {
  const { session } = useLive();
  const navigate = useNavigate();
  const [login, signIn] = createMutation(Login);
  const [refusal, setRefusal] = createSignal<Refusal | null>(null);
  const [secondsLeft, countDown] = useCountdown();
  let emailField!: HTMLInputElement;
  let passwordField!: HTMLInputElement;

  useTitle('Sign in');
  onMount(() => emailField.focus());
  createEffect(() => {
    if (session.current())
      navigate(readDestination(new URLSearchParams(location.search), location.origin), { replace: true });
  });

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (login.fetching || secondsLeft() > 0) return;
    setRefusal(null);
    const { data, error } = await signIn({ email: emailField.value.trim(), password: passwordField.value });
    if (error || !data)
      return refuse(error ? refusalOfRequest(error) : new Refusal('INTERNAL', 'The server answered without data.'));
    const answer = data.login;
    if (answer.__typename === 'Session') {
      const { token, expiresAt, viewer } = answer;
      const { email, role, tenant, customer } = viewer;
      session.begin({
        token,
        expiresAt,
        email,
        house: customer?.title ?? tenant.name,
        isAdmin: role === 'TENANT_ADMIN',
      });
      return;
    }
    if (answer.__typename === 'RateLimitedError') countDown(answer.retryAfterMs);
    refuse(new Refusal(answer.code, answer.message));
  };

  const refuse = (why: Refusal): void => {
    setRefusal(why);
    passwordField.select();
    passwordField.focus();
  };

  return (
    <main class="grid min-h-dvh grid-cols-[minmax(380px,5fr)_7fr] max-desk:grid-cols-1" aria-labelledby="sign-in">
      <div class="flex flex-col gap-8 border-e border-line bg-surface px-12 py-8 max-desk:border-0 max-desk:p-6">
        <Brand />
        <form class="my-auto grid w-full max-w-80 gap-3.5" onSubmit={(event) => void submit(event)}>
          <h1 id="sign-in" class="text-24 font-strong tracking-[-.02em]">
            Sign in
          </h1>
          <Show when={session.ended()}>{(reason) => <p class="text-ink-2">{reason()}</p>}</Show>
          <Field label="Email" ref={emailField} type="email" autocomplete="username" />
          <Field
            label="Password"
            ref={passwordField}
            type="password"
            autocomplete="current-password"
            aria-describedby={refusal() ? 'refusal' : undefined}
          />
          <Button look="primary" type="submit" class="h-9 pointer-coarse:h-11" disabled={secondsLeft() > 0}>
            {secondsLeft() > 0 ? `Again in ${secondsLeft()} s` : login.fetching ? 'Signing in' : 'Sign in'}
          </Button>
          <div id="refusal" role="alert">
            <Show when={refusal()}>{(why) => <InlineError {...wordsOf(why())} />}</Show>
          </div>
          <p class="text-11 text-ink-3">
            First start? The password of the first administrator was printed once, where Aloft was started.
          </p>
        </form>
        <p class="text-11 text-ink-3">Aloft at {location.host}</p>
      </div>
      <div class="grid place-items-center p-10 max-desk:hidden">
        <PassagePicture />
      </div>
    </main>
  );
}

function Field(props: JSX.InputHTMLAttributes<HTMLInputElement> & { label: string }): JSX.Element {
  return (
    <label class="grid gap-1 text-12 text-ink-2">
      {props.label}
      <input
        {...props}
        required
        class="h-9 rounded-control border border-line-control bg-raised px-2 text-13 text-ink pointer-coarse:h-11 pointer-coarse:text-[16px]"
      />
    </label>
  );
}

/** What is refused, what still holds, what to do. */
function wordsOf({ code, message }: Refusal): { title: string; detail: string } {
  switch (code) {
    case 'UNAUTHENTICATED':
      return { title: 'You are not signed in.', detail: message };
    case 'RATE_LIMITED':
      return { title: 'Too many tries.', detail: message };
    case 'UNREACHABLE':
      return {
        title: 'The server does not answer.',
        detail: 'Devices may be served all the same. Try again in a moment.',
      };
    default:
      return { title: 'You are not signed in.', detail: message };
  }
}
