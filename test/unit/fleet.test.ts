import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readArguments } from '../fleet/arguments.ts';
import { Fleet } from '../fleet/fleet.ts';
import type { FleetOptions } from '../fleet/fleet.ts';
import { HttpTransport } from '../fleet/http-transport.ts';
import { progressLine } from '../fleet/progress.ts';
import { randomOf } from '../fleet/random.ts';
import { readTokenFile } from '../fleet/token-file.ts';
import { StandIn } from './fleet-stand-in.ts';

const IMAGE = randomBytes(20_000);
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function tokens(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `token-${index}`);
}

async function serverWith(count: number): Promise<StandIn> {
  const server = await new StandIn().open();
  for (const token of tokens(count)) server.device(token).assign('fw', '2.0', IMAGE);
  return server;
}

function fleetOf(server: StandIn, count: number, options: Partial<FleetOptions> & { fail?: number } = {}): Fleet {
  return new Fleet({
    credentials: tokens(count).map((accessToken) => ({ name: accessToken, accessToken })),
    transportFor: ({ accessToken }) => new HttpTransport(server.url, accessToken),
    behaviour: { seed: 1, fail: options.fail ?? 0, speed: 5_000, chunkBytes: null, types: ['FIRMWARE'] },
    startsPerSecond: 2_000,
    stays: false,
    ...options,
  });
}

test('every device ends; the same seed fails the same ones in the same words', async () => {
  const runs = [];
  for (let run = 0; run < 2; run += 1) {
    await using server = await serverWith(100);
    await using fleet = fleetOf(server, 100, { fail: 0.3 });
    await fleet.ended;
    const { standings } = fleet.summary;
    expect(standings.UPDATED + standings.FAILED).toBe(100);
    runs.push(fleet.devices.map(({ reports }) => reports.at(-1)?.error ?? null));
  }
  expect(runs[1]).toEqual(runs[0]);
  const words = runs[0]?.filter((error) => error !== null) ?? [];
  expect(words.length).toBeGreaterThan(15);
  expect(words.length).toBeLessThan(45);
  expect(new Set(words.map((error) => error.slice(0, 8))).size).toBe(6);
});

test('devices are switched on at the rate that was asked for', async () => {
  await using server = await serverWith(20);
  await using fleet = fleetOf(server, 20, { startsPerSecond: 50 });
  const startedAt = performance.now();
  await fleet.ended;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19 * 20);
});

test('stopped in the middle, every device is off and nothing runs on', async () => {
  await using server = await serverWith(30);
  await using fleet = fleetOf(server, 30, { stays: true });
  await fleet.devices[0]?.until((device) => device.standing('FIRMWARE') === 'DOWNLOADING');
  await fleet.stop();
  const said = [...server.devices.values()].flatMap(({ telemetry }) => telemetry).length;
  expect(fleet.summary.standings.UPDATED).toBeLessThan(30);
  expect(said).toBeGreaterThanOrEqual(fleet.summary.reportsAcknowledged);
});

test('one device that the server does not know is named, and the others go on', async () => {
  await using server = await serverWith(3);
  server.devices.delete('token-1');
  await using fleet = fleetOf(server, 3);
  await fleet.ended;
  expect(fleet.summary.standings.UPDATED).toBe(2);
  expect(fleet.summary.refused).toEqual([{ device: 'token-1', reason: 'HTTP 401 Unknown access token.' }]);
  expect(progressLine(fleet.summary)).toMatch(
    /^3 devices · 1 OFF · 2 UPDATED · 1 refused · 0\.0 MB fetched · 12 reports$/,
  );
});

test('the same names give the same stream, others another', () => {
  expect(draws(0, 'a')).toEqual(draws(0, 'a'));
  expect(draws(0, 'a')).not.toEqual(draws(1, 'a'));
  expect(draws(0, 'a')).not.toEqual(draws(0, 'b'));
});

test('a token file holds tokens, or names and tokens as a spreadsheet writes them', () => {
  const path = join(folder, 'tokens.csv');
  writeFileSync(path, '\uFEFFname,token\r\n\r\n# of the second floor\r\nboiler,t1\r\n"pump, ""old""",t2\r\nt3\r\n');
  expect(readTokenFile(path)).toEqual([
    { name: 'boiler', accessToken: 't1' },
    { name: 'pump, "old"', accessToken: 't2' },
    { name: 'device-3', accessToken: 't3' },
  ]);
  expect(() => readTokenFile(join(folder, 'none'))).toThrow(/^--token-file .*none cannot be read: ENOENT/);
});

test.each([
  [['--token-file', 'f'], '--url is missing. See --help.'],
  [['--url', 'http://h'], '--token-file is missing. See --help.'],
  [['--url', 'h', '--token-file', 'f'], '--url h is not a URL such as http://127.0.0.1:8080.'],
  [['--url', 'ftp://h', '--token-file', 'f'], '--url ftp://h is not an http:// URL.'],
  [['--url', 'http://h', '--token-file', 'f', '--count', '0'], '--count 0 is not a whole number from 1 to 100000.'],
  [['--url', 'http://h', '--token-file', 'f', '--fail', '1.5'], '--fail 1.5 is not a number from 0 to 1.'],
  [
    ['--url', 'http://h', '--token-file', 'f', '--seed', '1e3'],
    '--seed 1e3 is not a whole number from 0 to 4294967295.',
  ],
  [['--url', 'http://h', '--token-file', 'f', '--type', 'constructor'], '--type constructor is none of fw, sw, both.'],
  [['--nonsense'], "Unknown option '--nonsense'. See --help."],
])('arguments %j are refused in one line', (args, line) => {
  expect(() => readArguments(args)).toThrow(line);
});

test('the command ends with 0 when every device has ended, and when it is asked to stop', async () => {
  await using server = await serverWith(5);
  const ended = command(server, 5, '--speed', '5000', '--start-rate', '1000');
  expect(await ended.done).toEqual({ code: 0, signal: null, errors: '' });
  expect(ended.output().trimEnd().split('\n').at(-1)).toMatch(/^5 devices · 5 UPDATED · /);

  const stopped = command(server, 5, '--stay');
  await stopped.says(/reports/);
  stopped.child.kill('SIGINT');
  expect(await stopped.done).toEqual({ code: 0, signal: null, errors: '' });
});

test('the command refuses in one line, with exit code 1', async () => {
  await using server = await serverWith(1);
  expect(await command(server, 2).done).toEqual({
    code: 1,
    signal: null,
    errors: `fleet: --token-file ${join(folder, 'tokens')} holds 1 tokens, --count asks for 2 devices.\n`,
  });
  const { url } = server;
  await server.close();
  expect(await command(server, 1).done).toEqual({
    code: 1,
    signal: null,
    errors: `fleet: no server at --url ${url.origin} (ECONNREFUSED): start it, or correct the address.\n`,
  });
  await server.open();
});

function draws(...names: (number | string)[]): number[] {
  const random = randomOf(1, ...names);
  return Array.from({ length: 5 }, () => random.fraction());
}

/** Runs the command as `npm run fleet` does. */
function command(server: StandIn, count: number, ...more: string[]) {
  const tokenFile = join(folder, 'tokens');
  writeFileSync(tokenFile, tokens(server.devices.size).join('\n'));
  const args = ['--url', server.url.origin, '--token-file', tokenFile, '--count', String(count), ...more];
  const child = spawn('node_modules/.bin/tsx', ['test/fleet/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const closed = once(child, 'close');
  return {
    child,
    output: () => output,
    done: closed.then(([code, signal]: unknown[]) => ({ code, signal, errors })),
    async says(words: RegExp): Promise<void> {
      while (!words.test(output)) await once(child.stdout, 'data');
    },
  };
}
