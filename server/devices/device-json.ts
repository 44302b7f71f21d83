/**
 * JSON as devices write it: read without loss, so that a version 1.10 stays 1.10 (JSON.parse of Node 20 cannot), and written
 * back as it was read. Values hold no NUL and no lone surrogate, which PostgreSQL's text and jsonb refuse: each becomes U+FFFD,
 * because the rest of what the device says is still worth hearing.
 */
import { isLosslessNumber, parse, stringify } from 'lossless-json';
import type { LosslessNumber } from 'lossless-json';
import { ValidationError } from '../domain/errors.ts';

export type Json = null | boolean | string | LosslessNumber | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** Deeper than any telemetry, and far from what a recursive parser or PostgreSQL's stack could bear. */
const DEPTH_MAX = 32;

const SUSPECT_ESCAPE = /\\u(?:0000|d[89a-f])/i;
const UNSTORABLE = /[\u0000\p{Surrogate}]/gu;

/** @throws ValidationError where the text is not JSON, or nested too deeply. Of a key that stands twice, the last counts. */
export function readJson(text: string): Json {
  if (isDeeperThan(text, DEPTH_MAX)) throw new ValidationError(`The JSON is nested deeper than ${DEPTH_MAX} levels.`);
  const json = parseLossless(text);
  return SUSPECT_ESCAPE.test(text) ? storable(json) : json;
}

export function writeJson(json: JsonObject): string {
  return stringify(json) ?? '';
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !isLosslessNumber(json);
}

function parseLossless(text: string): Json {
  try {
    return parse(text, null, { onDuplicateKey: ({ newValue }) => newValue }) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ValidationError(`The body is not JSON: ${error.message}.`);
  }
}

/** Counted before parsing: the parser recurses. */
function isDeeperThan(text: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charCodeAt(i);
    if (inString) {
      if (char === BACKSLASH) i += 1;
      else if (char === QUOTE) inString = false;
    } else if (char === QUOTE) inString = true;
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      depth += 1;
      if (depth > levels) return true;
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth -= 1;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

function storable(json: Json): Json {
  if (typeof json === 'string') return storableText(json);
  if (Array.isArray(json)) return json.map(storable);
  if (!isObject(json)) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [storableText(key), storable(value)]));
}

function storableText(text: string): string {
  return text.replace(UNSTORABLE, '\uFFFD');
}
