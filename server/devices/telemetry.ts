/**
 * What a device's telemetry says of its updates. Pure: JSON in, steps out, in the order in which they are to be applied.
 *
 * Shapes: an object of values; {"ts":…,"values":{…}}; an array of either. Only the keys of the two package types are read; all
 * others are for somebody else. A null says nothing. Unknown state words say nothing either: a fielded device cannot be taught.
 */
import { isLosslessNumber } from 'lossless-json';
import type { PackageType } from '../../prisma/client/enums.ts';
import { ValidationError } from '../domain/errors.ts';
import type { ReportedState, ReportStep } from '../domain/report.ts';
import { SHORT_TEXT_CHARACTERS_MAX } from '../domain/text.ts';
import { isObject } from './device-json.ts';
import type { Json, JsonObject } from './device-json.ts';
import { PACKAGE_TYPES, PREFIX } from './shared-attributes.ts';

/** Steps of one message; a type of which nothing is said is absent. */
export type Reports = ReadonlyMap<PackageType, readonly ReportStep[]>;

export interface TelemetryLimits {
  readonly deviceMessageStepsMax: number;
  readonly deviceErrorCharactersMax: number;
}

const STATES: ReadonlySet<string> = new Set<ReportedState>([
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
  'UPDATED',
  'FAILED',
]);

/** The last instant that PostgreSQL, JavaScript and every client print as a date with four digits: 9999-12-31T23:59:59.999Z. */
const TS_MAX = 253_402_300_799_999;

/** @throws ValidationError */
export function telemetryReports(json: Json, limits: TelemetryLimits): Reports {
  const messages = Array.isArray(json) ? json : [json];
  if (messages.length > limits.deviceMessageStepsMax) {
    throw new ValidationError(`A message may have at most ${limits.deviceMessageStepsMax} entries.`);
  }
  return reportsOf(messages.map(instant), limits);
}

/** Attributes carry the same keys and no time. */
export function attributeReports(values: JsonObject, limits: TelemetryLimits): Reports {
  return reportsOf([{ ts: null, values }], limits);
}

interface Instant {
  readonly ts: number | null;
  readonly values: JsonObject;
}

function instant(json: Json): Instant {
  if (!isObject(json)) throw new ValidationError('Telemetry is an object, or an array of objects.');
  if (!Object.hasOwn(json, 'ts') || !Object.hasOwn(json, 'values')) return { ts: null, values: json };
  const { ts, values } = json;
  if (!isObject(values)) throw new ValidationError('"values" must be an object.');
  return { ts: instantOf(ts), values };
}

/** Milliseconds since 1970, as a number or in quotes. A clock that was never set says nothing, so it counts as absent. */
function instantOf(json: Json | undefined): number | null {
  if (!isLosslessNumber(json) && !(typeof json === 'string' && /^\d+$/.test(json))) return null;
  const ts = Math.trunc(Number(String(json)));
  return ts >= 0 && ts <= TS_MAX ? ts : null;
}

function reportsOf(instants: readonly Instant[], limits: TelemetryLimits): Reports {
  const reports = new Map<PackageType, ReportStep[]>();
  for (const type of PACKAGE_TYPES) {
    const steps = inOrder(instants.flatMap((each) => stepOf(type, each, limits) ?? []));
    if (steps.length > 0) reports.set(type, steps);
  }
  return reports;
}

/** By ts; steps without one keep their places. */
function inOrder(steps: readonly ReportStep[]): ReportStep[] {
  const timed = steps.filter(({ ts }) => ts !== null).sort((a, b) => Number(a.ts) - Number(b.ts));
  let next = 0;
  return steps.map((step) => (step.ts === null ? step : (timed[next++] ?? step)));
}

function stepOf(type: PackageType, { ts, values }: Instant, limits: TelemetryLimits): ReportStep | undefined {
  const prefix = PREFIX[type];
  const title = nameOf(values, `current_${prefix}_title`);
  const version = nameOf(values, `current_${prefix}_version`);
  const state = stateOf(values[`${prefix}_state`]);
  if (title === undefined && version === undefined && state === undefined) return undefined;
  const error = wordsOf(values[`${prefix}_error`], limits.deviceErrorCharactersMax);
  return {
    ts,
    ...(title !== undefined && { title }),
    ...(version !== undefined && { version }),
    ...(state !== undefined && { state }),
    ...(error !== undefined && { error }),
  };
}

/** A longer one can be no package's. It is refused and not cut: cut, it might equal another. */
function nameOf(values: JsonObject, key: string): string | undefined {
  const text = textOf(values[key]);
  if (text === undefined || text === '') return undefined;
  if (text.length > SHORT_TEXT_CHARACTERS_MAX && [...text].length > SHORT_TEXT_CHARACTERS_MAX) {
    throw new ValidationError(`${key} has more than ${SHORT_TEXT_CHARACTERS_MAX} characters.`);
  }
  return text;
}

function stateOf(json: Json | undefined): ReportedState | undefined {
  if (typeof json !== 'string') return undefined;
  const word = json.toUpperCase();
  return STATES.has(word) ? (word as ReportedState) : undefined;
}

function wordsOf(json: Json | undefined, charactersMax: number): string | undefined {
  const text = textOf(json);
  if (text === undefined || text.length <= charactersMax) return text;
  // No more than two units a character, and none is cut in half.
  return [...text.slice(0, 2 * charactersMax)].slice(0, charactersMax).join('');
}

/** Text, or a number by its source text: version 1.10 is not 1.1. */
function textOf(json: Json | undefined): string | undefined {
  if (typeof json === 'string') return json;
  return isLosslessNumber(json) ? json.toString() : undefined;
}
