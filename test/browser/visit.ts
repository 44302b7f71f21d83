/** Somebody who looks at the pages, by roles and names alone. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { ADMIN } from '../support/server.ts';

/** Pages of one visitor; disposing closes them. */
export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained of: errors of scripts, refused resources, breaches of the security policy. */
  readonly complaints: readonly string[];
}

/** Below a test's own limit, so that what was waited for is named. */
const WAIT_MS = 15_000;

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A connection that is refused while the server restarts is what a test may be about.
    if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED'))
      complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

export async function signIn(
  page: Page,
  { email, password }: { email: string; password: string } = ADMIN,
): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Signed in, and the list is live. */
export async function visitDevices(
  browser: Browser,
  serverUrl: string,
  path = '/devices',
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const visitor = await visit(browser, `${serverUrl}${path}`, options);
  await signIn(visitor.page);
  await visitor.page.getByText('Live', { exact: true }).waitFor();
  return visitor;
}

/** What the page comes to say, within the time that a visitor waits. */
export function eventually<T>(read: () => Promise<T>): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: WAIT_MS });
}

/** What a row says, by its columns. */
export interface RowSeen {
  readonly name: string;
  readonly current: string;
  readonly target: string;
  readonly state: string;
  readonly said: string;
}

const COLUMNS = ['Device', 'Current', 'Target', 'State', 'What it said'] as const;

/** None where there is no grid. */
export async function rowsOf(page: Page): Promise<RowSeen[]> {
  const grids = page.getByRole('grid', { name: 'Devices' });
  if ((await grids.count()) === 0) return [];
  return grids.evaluate((grid, columns) => {
    const heads = [...grid.querySelectorAll('[role=columnheader]')].map((head) => head.textContent?.trim() ?? '');
    const places = columns.map((column) => heads.indexOf(column));
    return [...grid.querySelectorAll('tbody [role=row]')].map((row) => {
      const [name, current, target, state, said] = places.map(
        (place) => row.children[place]?.textContent?.trim() ?? '',
      );
      return { name: name ?? '', current: current ?? '', target: target ?? '', state: state ?? '', said: said ?? '' };
    });
  }, COLUMNS);
}

/** The counters above the list, by their names. */
export async function countersOf(page: Page): Promise<Record<string, number>> {
  const counters = await page
    .getByRole('navigation', { name: 'Show devices by state' })
    .getByRole('link')
    .evaluateAll((links) =>
      links.map((link) => [
        link.firstElementChild?.textContent ?? '',
        link.querySelector('.figure')?.textContent ?? '',
      ]),
    );
  return Object.fromEntries(counters.map(([name, count]) => [name, Number(count)]));
}
