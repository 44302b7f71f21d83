import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../server/config.ts';
import { readJson } from '../../server/devices/device-json.ts';
import type { JsonObject } from '../../server/devices/device-json.ts';
import { attributeReports, telemetryReports } from '../../server/devices/telemetry.ts';
import { ValidationError } from '../../server/domain/errors.ts';
import type { ReportStep } from '../../server/domain/report.ts';

function firmware(text: string): readonly ReportStep[] | undefined {
  return telemetryReports(readJson(text), LIMITS).get('FIRMWARE');
}

describe('telemetry', () => {
  test('in every accepted shape says the same', () => {
    const values = '{"fw_state":"DOWNLOADING"}';
    const at = (ts: number): string => `{"ts":${ts},"values":${values}}`;
    expect(firmware(values)).toEqual([{ ts: null, state: 'DOWNLOADING' }]);
    expect(firmware(`[${values},${values}]`)).toHaveLength(2);
    expect(firmware(at(5))).toEqual([{ ts: 5, state: 'DOWNLOADING' }]);
    expect(firmware(`[${at(5)},${at(6)}]`)?.map(({ ts }) => ts)).toEqual([5, 6]);
    expect(firmware('[]')).toBeUndefined();
  });

  test('tells title, version, state and error of each type apart', () => {
    const reports = telemetryReports(
      readJson(`{"current_fw_title":"a","current_fw_version":"1","fw_state":"FAILED","fw_error":"flash is worn",
                 "current_sw_title":"b","current_sw_version":"2","sw_state":"UPDATED","temperature":20.5}`),
      LIMITS,
    );
    expect(reports).toEqual(
      new Map([
        ['FIRMWARE', [{ ts: null, title: 'a', version: '1', state: 'FAILED', error: 'flash is worn' }]],
        ['SOFTWARE', [{ ts: null, title: 'b', version: '2', state: 'UPDATED' }]],
      ]),
    );
  });

  test('U12 a number in a version is taken by its source text', () => {
    for (const source of ['1.10', '2.0', '1e3', '-0', '12345678901234567890', '0.1000']) {
      expect(firmware(`{"current_fw_version":${source}}`)).toEqual([{ ts: null, version: source }]);
    }
    expect(firmware('{"current_fw_version":"1.10"}')).toEqual([{ ts: null, version: '1.10' }]);
    expect(firmware('{"current_fw_title":7}')).toEqual([{ ts: null, title: '7' }]);
  });

  test.each(['downloading', 'Downloading', 'DOWNLOADING'])('hears the state %s in any letter case', (state) => {
    expect(firmware(`{"fw_state":"${state}"}`)).toEqual([{ ts: null, state: 'DOWNLOADING' }]);
  });

  test.each([
    '{"fw_state":"IDLE"}',
    '{"fw_state":"idle"}',
    '{"fw_state":"REBOOTING"}',
    '{"fw_state":5}',
    '{"fw_state":null,"current_fw_version":null,"fw_error":null}',
    '{"fw_error":"without a state"}',
    '{"current_fw_version":""}',
    '{"current_fw_version":{"major":1}}',
    '{"current_fw_version":true}',
    '{"temperature":20}',
    '{"__proto__":{"fw_state":"FAILED"}}',
    '{"values":{"fw_state":"FAILED"}}',
    '{}',
  ])('says nothing of updates in %s', (text) => {
    expect(telemetryReports(readJson(text), LIMITS).size).toBe(0);
  });

  test('a null is passed over, and what stands beside it counts', () => {
    expect(firmware('{"current_fw_title":null,"current_fw_version":"2","fw_state":null}')).toEqual([
      { ts: null, version: '2' },
    ]);
  });

  test('of a key that stands twice, the last counts', () => {
    expect(firmware('{"fw_state":"DOWNLOADING","fw_state":"FAILED"}')).toEqual([{ ts: null, state: 'FAILED' }]);
  });

  test('several states are in the order of their ts; those without one keep their places', () => {
    const step = (state: string, ts?: number): string =>
      ts === undefined ? `{"fw_state":"${state}"}` : `{"ts":${ts},"values":{"fw_state":"${state}"}}`;
    expect(firmware(`[${step('VERIFIED', 30)},${step('DOWNLOADING', 10)},${step('DOWNLOADED', 20)}]`)).toEqual([
      { ts: 10, state: 'DOWNLOADING' },
      { ts: 20, state: 'DOWNLOADED' },
      { ts: 30, state: 'VERIFIED' },
    ]);
    expect(firmware(`[${step('VERIFIED', 30)},${step('FAILED')},${step('DOWNLOADING', 10)}]`)).toEqual([
      { ts: 10, state: 'DOWNLOADING' },
      { ts: null, state: 'FAILED' },
      { ts: 30, state: 'VERIFIED' },
    ]);
    expect(firmware(`[${step('UPDATING', 5)},${step('UPDATED', 5)}]`)?.map(({ state }) => state)).toEqual([
      'UPDATING',
      'UPDATED',
    ]);
  });

  test.each([
    ['1700000000000', 1_700_000_000_000],
    ['1.7e12', 1_700_000_000_000],
    ['1700000000000.9', 1_700_000_000_000],
    ['"1700000000000"', 1_700_000_000_000],
    ['0', 0],
    ['253402300799999', 253_402_300_799_999],
    ['253402300800000', null],
    ['-1', null],
    ['1e999', null],
    ['99999999999999999999999', null],
    ['"yesterday"', null],
    ['null', null],
    ['{}', null],
  ])('the ts %s is %s: one that no calendar has counts as absent', (source, ts) => {
    expect(firmware(`{"ts":${source},"values":{"fw_state":"FAILED"}}`)).toEqual([{ ts, state: 'FAILED' }]);
  });

  test.each([
    ['', 'not JSON'],
    ['{"fw_state":', 'not JSON'],
    ["{'fw_state':'FAILED'}", 'not JSON'],
    ['{"fw_state":"FAILED"} x', 'not JSON'],
    ['{"fw_version":01}', 'not JSON'],
    ['{"fw_state":"FAILED",}', 'not JSON'],
    ['"FAILED"', 'an object'],
    ['5', 'an object'],
    ['null', 'an object'],
    ['[{"fw_state":"FAILED"},5]', 'an object'],
    ['[[{"fw_state":"FAILED"}]]', 'an object'],
    ['{"ts":1,"values":[]}', '"values"'],
    ['{"ts":1,"values":null}', '"values"'],
    ['['.repeat(60_000), 'nested'],
    [`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, 'nested'],
    [`[${'{},'.repeat(LIMITS.deviceMessageStepsMax)}{}]`, 'at most 1000'],
    [`{"current_fw_version":"${'v'.repeat(256)}"}`, 'more than 255'],
    [`{"current_sw_title":"${'💡'.repeat(256)}"}`, 'more than 255'],
  ])('W4 refuses %#', (text, why) => {
    const parse = (): unknown => telemetryReports(readJson(text), LIMITS);
    expect(parse).toThrow(ValidationError);
    expect(parse).toThrow(why);
  });

  test('brackets in texts do not nest', () => {
    expect(firmware(`{"fw_state":"FAILED","fw_error":"${'[{'.repeat(100)}\\"${'['.repeat(100)}"}`)).toHaveLength(1);
  });

  test('a title of 255 characters is heard whole, also where each needs two units', () => {
    const title = '💡'.repeat(255);
    expect(firmware(`{"current_fw_title":"${title}"}`)).toEqual([{ ts: null, title }]);
  });

  test('U7 the words of a device are cut to what is kept, and no character in half', () => {
    const words = `x${'💡'.repeat(2_000)}`;
    const [step] = firmware(JSON.stringify({ fw_state: 'FAILED', fw_error: words })) ?? [];
    expect([...(step?.error ?? '')]).toHaveLength(LIMITS.deviceErrorCharactersMax);
    expect(words.startsWith(step?.error ?? '-')).toBe(true);
    expect(firmware('{"fw_state":"FAILED","fw_error":-4}')).toEqual([{ ts: null, state: 'FAILED', error: '-4' }]);
  });

  test('W4 what PostgreSQL cannot store becomes U+FFFD: NUL and lone surrogates, in every form', () => {
    const [step] =
      firmware(String.raw`{"fw_state":"FAILED","fw_error":"a\u0000b\ud800c\udfffd","current_fw_version":"1\uD83D"}`) ??
      [];
    expect(step).toEqual({ ts: null, state: 'FAILED', version: '1\uFFFD', error: 'a\uFFFDb\uFFFDc\uFFFDd' });
    expect(firmware(String.raw`{"fw_state":"FAILED","fw_error":"\ud83d\ude00 \\u0000"}`)?.[0]?.error).toBe(
      '😀 \\u0000',
    );
  });

  test('any JSON is either refused by name or understood, and never harms', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.json().map((text) => `[{"ts":1,"values":${text}}]`),
        ),
        (text) => {
          const said = outcomeOf(() => [...telemetryReports(readJson(text), LIMITS).values()]);
          expect(said instanceof ValidationError || Array.isArray(said)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** What `act` returns or throws. */
function outcomeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

test('attributes carry the same keys, and no ts', () => {
  const values = readJson('{"fw_state":"VERIFIED","ts":5,"current_sw_version":1.10}');
  expect(attributeReports(values as JsonObject, LIMITS)).toEqual(
    new Map([
      ['FIRMWARE', [{ ts: null, state: 'VERIFIED' }]],
      ['SOFTWARE', [{ ts: null, version: '1.10' }]],
    ]),
  );
});
