import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UPDATE_STATES } from '../../client/live/update-state.ts';
import { devicesPath, readDestination, readDeviceFilter, signInPath } from '../../client/paths.ts';

const HERE = 'https://fleet.example';

function read(path: string): ReturnType<typeof readDeviceFilter> {
  return readDeviceFilter(new URL(path, HERE).searchParams);
}

test('addresses', () => {
  expect([
    devicesPath(),
    devicesPath({ type: 'SOFTWARE' }),
    devicesPath({ states: ['FAILED'] }),
    devicesPath({ type: 'SOFTWARE', states: ['DOWNLOADING', 'FAILED'], search: 'hp3 & oslo' }),
    signInPath('/'),
    signInPath('/devices?state=failed'),
  ]).toEqual([
    '/devices',
    '/devices?type=software',
    '/devices?state=failed',
    '/devices?type=software&state=downloading,failed&search=hp3%20%26%20oslo',
    '/sign-in',
    '/sign-in?to=%2Fdevices%3Fstate%3Dfailed',
  ]);
});

test('a filter is read from its address as it was written', () => {
  const filter = fc.record({
    type: fc.constantFrom('FIRMWARE', 'SOFTWARE'),
    states: fc.option(fc.subarray([...UPDATE_STATES], { minLength: 1 })),
    search: fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.trim()),
  });
  fc.assert(
    fc.property(filter, (its) => {
      expect(read(devicesPath(its))).toEqual(its);
    }),
  );
});

test('what an address says wrongly means all', () => {
  expect(read('/devices?type=gadget&state=broken,,failed,constructor&search=%20')).toEqual({
    type: 'FIRMWARE',
    states: ['FAILED'],
    search: '',
  });
  expect(read('/devices?state=nonsense').states).toBeNull();
  expect(read(`/devices?search=${'x'.repeat(300)}`).search).toHaveLength(255);
});

test.each([
  ['/devices?state=failed', '/devices?state=failed'],
  [`${HERE}/devices`, '/devices'],
  ['//evil.example/devices', '/devices'],
  ['https://evil.example', '/devices'],
  ['javascript:alert(1)', '/devices'],
  [String.raw`/\evil.example`, '/devices'],
  ['http://[', '/devices'],
])('after signing in from %s one comes to %s', (to, destination) => {
  expect(readDestination(new URLSearchParams({ to }), HERE)).toBe(destination);
});
