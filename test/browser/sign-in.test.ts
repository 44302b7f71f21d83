import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from '../support/chromium.ts';
import { document } from '../support/contract.ts';
import { GraphqlClient } from '../support/graphql.ts';
import { ADMIN, testServer } from '../support/server.ts';
import { Garage } from './garage.ts';
import { eventually, rowsOf, signIn, visit, visitDevices } from './visit.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('a wrong password is refused in words, with the field ready for the next', async () => {
  await using server = await testServer();
  await using visitor = await visit(browser, server.url);
  const { page } = visitor;
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
  await signIn(page, { email: ADMIN.email, password: 'wrong' });
  const alert = page.getByRole('alert');
  await alert.getByText('The e-mail address or the password is wrong.').waitFor();
  expect(await page.locator(':focus').getAttribute('type')).toBe('password');
  expect(new URL(page.url()).pathname).toBe('/sign-in');

  await signIn(page);
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
  expect(visitor.complaints).toEqual([]);
});

test('too many wrong passwords: it says when the next is heard', async () => {
  await using server = await testServer({ limits: { signInFailuresFree: 1 } });
  await using visitor = await visit(browser, server.url);
  const { page } = visitor;
  const password = 'wrong';
  for (let tries = 0; tries < 2; tries += 1) {
    await signIn(page, { email: ADMIN.email, password });
    await page.getByRole('alert').getByText('You are not signed in.').waitFor();
  }
  await signIn(page, { email: ADMIN.email, password });
  await page.getByRole('alert').getByText('Too many tries.').waitFor();
  const waiting = page.getByRole('button', { name: /Again in \d+ s/ });
  expect(await waiting.isDisabled()).toBe(true);
  await signIn(page);
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
});

test('a server that does not answer is told from a refusal', async () => {
  await using server = await testServer();
  await using visitor = await visit(browser, server.url);
  const { page } = visitor;
  await page.getByLabel('Email').waitFor();
  await server.restart(async () => {
    await signIn(page);
    await page.getByRole('alert').getByText('The server does not answer.').waitFor();
  });
  await signIn(page);
  await page.getByRole('heading', { name: 'Devices', level: 1 }).waitFor();
});

test('a session that is ended elsewhere leads to sign-in, and from there back', async () => {
  await using server = await testServer();
  await Garage.open(server, ['boiler-1', 'boiler-2']);
  await using visitor = await visitDevices(browser, server.url, '/devices?search=2');
  const { page } = visitor;
  await eventually(() => rowsOf(page)).toHaveLength(1);
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('aloft.session') ?? '{}').token as string);
  await new GraphqlClient(server.url, token).act('mutation { logout { __typename } }');

  await page.getByText('Your session has ended.').waitFor();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await signIn(page);
  await eventually(() => rowsOf(page)).toHaveLength(1);
  expect(new URL(page.url()).search).toBe('?search=2');
});

test('signing out ends the session on the server too', async () => {
  await using server = await testServer();
  await using visitor = await visitDevices(browser, server.url);
  const { page } = visitor;
  await page.getByText('No devices yet.').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await server.query('SELECT id FROM session', [])).toEqual([]);
  await page.goto(`${server.url}/devices`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
});

test("a customer's user is told that nothing is theirs yet, and what a stranger's page says", async () => {
  await using server = await testServer();
  const { admin } = await Garage.open(server, ['boiler-1']);
  const customer = await admin.act(document('CreateCustomer'), { title: 'Oslo Varme' });
  const user = { email: 'ines@oslo.example', password: 'long enough words' };
  await admin.act(document('CreateUser'), { ...user, role: 'CUSTOMER_USER', customerId: customer.id });
  await using visitor = await visit(browser, `${server.url}/elsewhere`);
  const { page } = visitor;
  await signIn(page, user);
  await page.getByText('There is no such page.').waitFor();
  await page.getByRole('link', { name: 'All devices' }).click();
  await page.getByText('No device is yours yet.').waitFor();
  await page.getByRole('banner').getByText('Oslo Varme').waitFor();
});
