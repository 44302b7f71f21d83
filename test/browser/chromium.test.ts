import { expect, test } from 'vitest';
import { launch } from '../support/chromium.ts';

test('a Chromium is found and draws a page', async () => {
  await using browser = await launch();
  const page = await browser.newPage();
  await page.goto('data:text/html,<h1>Aloft</h1><button onclick="this.textContent = 6 * 7">Count</button>');
  await page.getByRole('button', { name: 'Count' }).click();
  await page.getByRole('button', { name: '42' }).waitFor();
  expect(await page.getByRole('heading').textContent()).toBe('Aloft');
  const { width } = (await page.getByRole('heading').boundingBox()) ?? { width: 0 };
  expect(width).toBeGreaterThan(0);
});
