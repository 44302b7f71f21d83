/** Instants, relative for reading and exact on hover. */
import { Show } from 'solid-js';
import type { JSX } from 'solid-js';
import { useShownTime } from './shown-time.ts';
import { ago, duration, exactly } from './words.ts';

/** "3 min 12": how long something has lasted. */
export function Lasting(props: { since: string | null | undefined }): JSX.Element {
  const now = useShownTime();
  return (
    <Show when={props.since}>
      {(since) => (
        <time dateTime={since()} title={`since ${exactly(Date.parse(since()))}`}>
          {duration(now() - Date.parse(since()))}
        </time>
      )}
    </Show>
  );
}

/** How exactly the server knows when a device was last seen. */
const SEEN_QUANTUM_MS = 300_000;

/** "24 min ago". Within what the server can tell, no more than that. */
export function LastSeen(props: { at: string | null }): JSX.Element {
  const now = useShownTime();
  const words = (at: number): string => (now() - at < SEEN_QUANTUM_MS ? 'within 5 min' : ago(at, now()));
  return (
    <Show when={props.at} fallback="never">
      {(at) => (
        <time dateTime={at()} title={`${exactly(Date.parse(at()))}, to within five minutes`}>
          {words(Date.parse(at()))}
        </time>
      )}
    </Show>
  );
}
