/** Where on its way an update is, and where it ended. Drawn for the eye: the state's word and `passageWords` stand beside it. */
import { For } from 'solid-js';
import type { JSX } from 'solid-js';
import type { Update } from '../live/device.ts';
import { STATIONS, stationOf } from './passage-words.ts';

const DOWNLOAD = STATIONS.indexOf('DOWNLOADING');

export function Passage(props: { update: Update }): JSX.Element {
  const now = () => stationOf(props.update);
  const isStopped = () => props.update.state === 'CANCELED';
  return (
    <span class="passage" data-state={props.update.state} aria-hidden="true">
      <For each={STATIONS}>
        {(_station, index) => (
          <i
            data-station={
              index() < now() || (index() === now() && isStopped()) ? 'done' : index() === now() ? 'now' : undefined
            }
            style={index() === DOWNLOAD && now() === DOWNLOAD ? { '--filled': filled(props.update) } : {}}
          />
        )}
      </For>
    </span>
  );
}

function filled({ bytesServed, bytesTotal }: Update): string {
  return `${bytesTotal ? Math.min(100, (100 * bytesServed) / bytesTotal) : 0}%`;
}
