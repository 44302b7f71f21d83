import type { JSX } from 'solid-js';
import { devicesPath } from '../paths.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { useTitle } from '../ui/title.ts';

export function NotFoundPage(): JSX.Element {
  useTitle('Not found');
  return (
    <main class="min-h-dvh bg-surface">
      <h1 class="sr-only">Not found</h1>
      <Notice title="There is no such page." acts={<ButtonLink href={devicesPath()}>All devices</ButtonLink>}>
        <p>The address may be mistyped, or of another version of Aloft.</p>
      </Notice>
    </main>
  );
}
