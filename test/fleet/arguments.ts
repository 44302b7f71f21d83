import { parseArgs } from 'node:util';
import { UsageError } from './token-file.ts';
import type { PackageType } from './transport.ts';

export interface Arguments {
  readonly url: URL;
  readonly tokenFile: string;
  /** Null: as many as the file has. */
  readonly count: number | null;
  readonly fail: number;
  readonly seed: number;
  readonly speed: number;
  readonly types: readonly PackageType[];
  readonly chunkBytes: number | null;
  readonly startsPerSecond: number;
  readonly stays: boolean;
}

export const HELP = `Simulates devices that update themselves over ThingsBoard's HTTP device API.

  npm run fleet -- --url http://127.0.0.1:8080 --token-file tokens.txt [options]

  --url URL          the server
  --token-file FILE  access tokens, one a line: token, or name,token
  --count N          simulate the first N devices of the file (all)
  --fail P           probability that an attempt fails, 0 to 1 (0)
  --seed N           the same seed makes the same devices (1)
  --speed X          devices take their time divided by X over each step (1)
  --type T           fw, sw or both (fw)
  --chunk BYTES      size of a chunk (each attempt draws its own)
  --start-rate N     devices switched on in a second (100)
  --stay             devices stay on after their end, until Ctrl-C
  --help             this text

Ends with exit code 0 when every device ended UPDATED, FAILED or already current, or when it was asked to stop.`;

const OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  count: { type: 'string' },
  fail: { type: 'string', default: '0' },
  seed: { type: 'string', default: '1' },
  speed: { type: 'string', default: '1' },
  type: { type: 'string', default: 'fw' },
  chunk: { type: 'string' },
  'start-rate': { type: 'string', default: '100' },
  stay: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const TYPES: Readonly<Record<string, readonly PackageType[]>> = {
  fw: ['FIRMWARE'],
  sw: ['SOFTWARE'],
  both: ['FIRMWARE', 'SOFTWARE'],
};

const DEVICES_MAX = 100_000;
const CHUNK_BYTES_MAX = 16 * 1_048_576;

/**
 * @returns null where help is asked for
 * @throws UsageError
 */
export function readArguments(args: readonly string[]): Arguments | null {
  const { values } = parse(args);
  if (values.help) return null;
  const types = Object.hasOwn(TYPES, values.type) ? TYPES[values.type] : undefined;
  if (types === undefined) throw new UsageError(`--type ${values.type} is none of fw, sw, both.`);
  return {
    url: serverUrl(values.url),
    tokenFile: wanted('--token-file', values['token-file']),
    count: values.count === undefined ? null : whole('--count', values.count, 1, DEVICES_MAX),
    fail: number('--fail', values.fail, 0, 1),
    seed: whole('--seed', values.seed, 0, 2 ** 32 - 1),
    speed: number('--speed', values.speed, 0.01, 1_000_000),
    types,
    chunkBytes: values.chunk === undefined ? null : whole('--chunk', values.chunk, 1, CHUNK_BYTES_MAX),
    startsPerSecond: number('--start-rate', values['start-rate'], 0.1, 100_000),
    stays: values.stay,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true });
  } catch (error) {
    // Node's words name the option; only their first sentence is about this call.
    throw new UsageError(`${error instanceof Error ? error.message.split('. ')[0] : String(error)}. See --help.`);
  }
}

function serverUrl(text: string | undefined): URL {
  const value = wanted('--url', text);
  if (!URL.canParse(value)) throw new UsageError(`--url ${value} is not a URL such as http://127.0.0.1:8080.`);
  const url = new URL(value);
  if (url.protocol !== 'http:') throw new UsageError(`--url ${value} is not an http:// URL.`);
  return url;
}

function wanted(name: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing. See --help.`);
  return value;
}

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new UsageError(`${name} ${text} is not a number from ${min} to ${max}.`);
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${name} ${text} is not a whole number from ${min} to ${max}.`);
}
