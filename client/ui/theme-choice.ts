/** Light or dark: the system's wish, until somebody chooses. `public/theme.js` applies the choice before the first paint. */

const KEY = 'aloft.theme';

export function changeTheme(): void {
  const wished = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const shown = document.documentElement.dataset['theme'] ?? wished;
  const chosen = shown === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = chosen;
  localStorage.setItem(KEY, chosen);
}
