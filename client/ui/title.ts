import { onMount } from 'solid-js';

/** Names the page in the browser's tab and history. */
export function useTitle(title: string): void {
  onMount(() => (document.title = `${title} – Aloft`));
}
