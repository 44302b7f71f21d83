/* oxlint-disable jsx-a11y/no-redundant-roles, jsx-a11y/no-interactive-element-to-noninteractive-role, jsx-a11y/no-noninteractive-element-to-interactive-role --
   on a phone a row is laid out as a grid, which takes the roles that a table implies away from it */
import { Show } from 'solid-js';
import type { JSX } from 'solid-js';
import type { DeviceRow } from '../../live/device-list.ts';
import { STATE_WORD } from '../../live/update-state.ts';
import { LastSeen, Lasting } from '../../ui/moment.tsx';
import { passageWords } from '../../ui/passage-words.ts';
import { Passage } from '../../ui/passage.tsx';
import { StateIcon } from '../../ui/state-icon.tsx';

/** The head is the first row. */
const HEAD_ROWS = 1;

export function DeviceRowView(props: { row: DeviceRow; index: number }): JSX.Element {
  const state = () => props.row.update?.state ?? 'NONE';
  const mark = () => (props.row.changes === 0 ? '' : props.row.changes % 2 === 1 ? 'marked-odd' : 'marked-even');
  const isThere = () => {
    const { current, target } = props.row;
    return target !== null && current?.title === target.title && current?.version === target.version;
  };
  return (
    <tr
      role="row"
      aria-rowindex={props.index + 1 + HEAD_ROWS}
      tabindex={props.index === 0 ? 0 : -1}
      data-state={state()}
      data-left={props.row.isMatch ? undefined : ''}
      class={mark()}
    >
      <th role="rowheader" scope="row" class="cell-name">
        {props.row.name}
      </th>
      <td role="gridcell" class="@max-mid:hidden" title={props.row.profile}>
        {props.row.profile}
      </td>
      <td role="gridcell" class="cell-version" title={props.row.current?.title ?? undefined}>
        {props.row.current?.version}
      </td>
      <td
        role="gridcell"
        class="cell-version"
        classList={{ 'text-ink-3': isThere() }}
        title={props.row.target?.title ?? undefined}
      >
        {props.row.target?.version}
      </td>
      <td role="gridcell" class="cell-state">
        <span class="flex items-center gap-1.5" classList={{ 'text-bad': state() === 'FAILED' }}>
          <StateIcon state={state()} />
          {STATE_WORD[state()]}
        </span>
      </td>
      <td role="gridcell" class="cell-progress">
        <Show when={props.row.update}>
          {(update) => (
            <span class="flex items-center gap-2.5">
              <Passage update={update()} />
              <span class="passage-words">{passageWords(update())}</span>
              {/* Where there is no room for a column of its own. */}
              <span class="said-short" aria-hidden="true">
                {update().error}
              </span>
            </span>
          )}
        </Show>
      </td>
      <td role="gridcell" class="cell-since text-end">
        <Lasting since={props.row.update?.stateSince} />
      </td>
      <td role="gridcell" class="cell-seen text-end text-ink-2 @max-mid:hidden">
        <LastSeen at={props.row.lastSeenAt} />
      </td>
      <td role="gridcell" class="cell-said">
        <span>{props.row.update?.error}</span>
      </td>
    </tr>
  );
}
