import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from '../support/chromium.ts';
import { testServer } from '../support/server.ts';
import { Garage } from './garage.ts';
import { countersOf, eventually, rowsOf, visitDevices } from './visit.ts';

const NAMES = Array.from({ length: 12 }, (_, index) => `boiler-${String(index + 1).padStart(2, '0')}`);
const IN_ORDER = ['Queued', 'Initiated', 'Downloading', 'Downloaded', 'Verified', 'Updating', 'Updated'];

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Every state that the row shows from now on, as somebody who does not blink would see it. */
async function watchStates(page: Page, name: string): Promise<() => Promise<string[]>> {
  const handle = await page.getByRole('row', { name }).evaluateHandle((row) => {
    const seen: string[] = [];
    const look = (): void => {
      const state = row.querySelector('.cell-state')?.textContent?.trim() ?? '';
      if (state !== seen.at(-1)) seen.push(state);
    };
    look();
    new MutationObserver(look).observe(row, { subtree: true, childList: true, characterData: true });
    return seen;
  });
  return () => handle.jsonValue();
}

test('from sign-in to Updated: a row goes through its states live, without a reload', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES.slice(0, 4));
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await eventually(() => rowsOf(page)).toHaveLength(4);
  expect((await rowsOf(page))[0]).toEqual({ name: 'boiler-01', current: '', target: '', state: 'No update', said: '' });
  let loads = 0;
  page.on('load', () => (loads += 1));
  const statesSeen = await watchStates(page, 'boiler-01');

  await garage.assign('2.0');
  await page.getByRole('heading', { name: 'being updated' }).waitFor();
  await using fleet = garage.start({ speed: 3 });
  await page
    .getByRole('row', { name: 'boiler-01' })
    .getByText(/\d of 60 KB/)
    .waitFor();
  await page.getByRole('heading', { name: 'All 4 devices are updated.' }).waitFor();
  await fleet.ended;

  const states = await statesSeen();
  expect(states[0]).toBe('No update');
  expect(states.slice(1)).toEqual(IN_ORDER.filter((state) => states.includes(state)));
  expect(states).toEqual(expect.arrayContaining(['Initiated', 'Downloading', 'Downloaded', 'Updating', 'Updated']));
  await eventually(() => rowsOf(page)).toEqual(await garage.truth());
  await eventually(() => countersOf(page)).toMatchObject({
    Waiting: 0,
    'In flight': 0,
    Updated: 4,
    Failed: 0,
    'No update': 0,
  });
  expect([loads, visitor.complaints]).toEqual([0, []]);
});

test('a restart in the middle: it says so, resumes from its cursor, and is exactly right', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES);
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  const resumedFrom: unknown[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const { type, payload: asked } = JSON.parse(String(payload));
      if (type === 'subscribe' && asked.query.includes('updateEvents')) resumedFrom.push(asked.variables.after);
    }),
  );
  await garage.assign('2.0', 200_000);
  await using fleet = garage.start({ fail: 0.3, speed: 2 });
  await page.getByRole('row').getByText('Downloading').first().waitFor();

  await server.restart(async () => {
    await page.getByText(/Reconnecting — as of \d\d:\d\d:\d\d/).waitFor();
    await page.getByText('What you see is as of').waitFor();
    await page.getByRole('button', { name: 'Try now' }).waitFor();
  });
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText(/Caught up: \d+ changes?/).waitFor();
  expect(resumedFrom).toEqual([expect.stringMatching(/./)]);
  await fleet.ended;

  const truth = await garage.truth();
  expect(new Set(truth.map(({ state }) => state))).toEqual(new Set(['Updated', 'Failed']));
  await eventually(() => rowsOf(page)).toEqual(truth);
  const failed = truth.filter(({ state }) => state === 'Failed').length;
  await eventually(() => countersOf(page)).toMatchObject({ 'In flight': 0, Updated: 12 - failed, Failed: failed });
  expect(visitor.complaints).toEqual([]);
});

test('a cursor of another log is given up: the list is read anew, and goes on live', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES.slice(0, 3));
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await eventually(() => rowsOf(page)).toHaveLength(3);

  // As after a backup was restored.
  await server.restart(async () => {
    await page.getByText(/Reconnecting — as of/).waitFor();
    await server.query('UPDATE log SET id = gen_random_uuid()', []);
  });
  await page.getByText('Live', { exact: true }).waitFor();
  await garage.assign('2.0');
  await using fleet = garage.start({ speed: 100 });
  await page.getByRole('heading', { name: 'All 3 devices are updated.' }).waitFor();
  await fleet.ended;
  await eventually(() => rowsOf(page)).toEqual(await garage.truth());
  expect(visitor.complaints).toEqual([]);
});

test('every count is a link to what it counts, and the filter lives in the address', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES);
  await garage.assign('2.0');
  await using fleet = garage.start({ fail: 0.4, speed: 100 });
  await fleet.ended;
  const failed = (await garage.truth()).filter(({ state }) => state === 'Failed');
  expect(failed.length).toBeGreaterThan(1);
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;

  await page.getByRole('link', { name: `Failed ${failed.length}` }).click();
  await eventually(() => rowsOf(page)).toEqual(failed);
  expect(new URL(page.url()).search).toBe('?state=failed');
  await page.getByText(`${failed.length} match`).waitFor();

  // Told a new version, it is queued or on its way: no longer failed.
  await garage.assign('3.0');
  await page.getByText('No device matches.').waitFor();
  await page.getByText('Without it there are 12.').waitFor();
  await page.getByRole('link', { name: 'Drop the state' }).click();
  await eventually(() => rowsOf(page)).toHaveLength(12);

  await page.keyboard.press('/');
  await page.keyboard.type('R-1');
  await eventually(async () => (await rowsOf(page)).map(({ name }) => name)).toEqual([
    'boiler-10',
    'boiler-11',
    'boiler-12',
  ]);
  expect(new URL(page.url()).search).toBe('?search=R-1');
  await page.goBack();
  await eventually(() => rowsOf(page)).toEqual([]);
  await page.reload();
  await page.getByText('No device matches.').waitFor();
  expect(visitor.complaints).toEqual([]);
});

test('devices that are made and deleted come and go, and nothing moves under the pointer', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, ['boiler-02', 'boiler-04']);
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  const names = async (): Promise<string[]> => (await rowsOf(page)).map(({ name }) => name);
  await eventually(names).toEqual(['boiler-02', 'boiler-04']);

  const third = await garage.add('boiler-03');
  await eventually(names).toEqual(['boiler-02', 'boiler-03', 'boiler-04']);

  await page.getByRole('row', { name: 'boiler-04' }).hover();
  await garage.add('boiler-01');
  await garage.remove(third);
  await page.getByText('2 rows have moved while you look').waitFor();
  expect(await names()).toEqual(['boiler-02', 'boiler-03', 'boiler-04']);
  await page.keyboard.press('s');
  await eventually(names).toEqual(['boiler-01', 'boiler-02', 'boiler-04']);
  expect(visitor.complaints).toEqual([]);
});

test.each([
  { reducedMotion: 'no-preference', fades: '0.9s' },
  { reducedMotion: 'reduce', fades: '0s' },
] as const)('a row that changed keeps a mark and fades it: motion $reducedMotion', async ({ reducedMotion, fades }) => {
  await using server = await testServer();
  const garage = await Garage.open(server, ['boiler-1']);
  await using visitor = await visitDevices(browser, server.url, '/devices', { reducedMotion });
  const row = visitor.page.getByRole('row', { name: 'boiler-1' });
  const mark = (): Promise<string> => row.evaluate((element) => getComputedStyle(element).animation);
  await row.waitFor();
  expect(await mark()).not.toContain('mark-');
  await garage.assign('2.0');
  await row.getByText('Initiated').waitFor();
  expect(await mark()).toMatch(/mark-(odd|even)/);
  expect(await row.evaluate((element) => getComputedStyle(element).animationDuration)).toBe(fades);
});

test('what the empty page says to send makes the first row, which appears by itself', async () => {
  await using server = await testServer();
  const { admin } = await Garage.open(server, []);
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await page.getByRole('heading', { name: 'No devices yet.' }).waitFor();
  const [profile = '', device = ''] = await page.getByRole('listitem').locator('pre').allTextContents();
  const { id } = await admin.act(profile);
  await admin.act(device.replace('the id of step 1', id as string));
  await eventually(async () => (await rowsOf(page)).map(({ name }) => name)).toEqual(['hp3-1']);
});

test('software is a list of its own', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES.slice(0, 2));
  await garage.assign('2.0');
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await eventually(async () => (await rowsOf(page)).map(({ target }) => target)).toEqual(['2.0', '2.0']);
  await page.getByRole('link', { name: 'Software' }).click();
  await eventually(async () => (await rowsOf(page)).map(({ target }) => target)).toEqual(['', '']);
  expect(new URL(page.url()).search).toBe('?type=software');
});

test('a longer list is read on as it is scrolled', async () => {
  await using server = await testServer();
  const names = Array.from({ length: 230 }, (_, index) => `boiler-${String(index).padStart(3, '0')}`);
  await Garage.open(server, names);
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await eventually(() => rowsOf(page)).toHaveLength(100);
  expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('231');
  await page.getByRole('button', { name: 'Show more' }).scrollIntoViewIfNeeded();
  await eventually(async () => (await rowsOf(page)).length).toBeGreaterThanOrEqual(200);
  await page.getByRole('row').last().scrollIntoViewIfNeeded();
  await eventually(async () => (await rowsOf(page)).map(({ name }) => name)).toEqual(names);
});

test('on a phone a row is two lines, and nothing is wider than the screen', async () => {
  await using server = await testServer();
  const garage = await Garage.open(server, NAMES.slice(0, 3));
  await garage.assign('2.0');
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  await using visitor = await visitDevices(browser, server.url, '/devices', phone);
  const { page } = visitor;
  const row = page.getByRole('row', { name: 'boiler-02' });
  await row.getByText('Initiated').waitFor();
  const box = await row.boundingBox();
  expect(box?.width).toBe(390);
  expect(box?.height).toBeGreaterThanOrEqual(44);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test('it has one head, named regions, a way past the head, and keys for the rows', async () => {
  await using server = await testServer();
  await Garage.open(server, NAMES.slice(0, 3));
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await eventually(() => rowsOf(page)).toHaveLength(3);
  expect(await page.getByRole('heading', { level: 1 }).allTextContents()).toEqual(['Devices']);
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the devices');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  for (const key of ['j', 'j', 'ArrowDown', 'k']) await page.keyboard.press(key);
  const focused = page.locator(':focus');
  expect(await focused.getAttribute('aria-rowindex')).toBe('3');
  expect(await focused.getByRole('rowheader').textContent()).toBe('boiler-02');
  expect(await focused.evaluate((row) => getComputedStyle(row).outlineStyle)).toBe('solid');
  for (const name of ['Show devices by state', 'Main', 'Package type']) {
    expect(await page.getByRole('navigation', { name }).count()).toBe(1);
  }
  for (const name of ['The fleet by state', 'Nothing is being updated.']) {
    expect(await page.getByRole('region', { name }).count()).toBe(1);
  }
  expect(await page.getByRole('search', { name: 'Filter devices' }).count()).toBe(1);
  expect(await page.getByRole('contentinfo', { name: 'Status' }).count()).toBe(1);
});
