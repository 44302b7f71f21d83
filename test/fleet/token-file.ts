import { readFileSync, statSync } from 'node:fs';
import type { Credential } from './fleet.ts';

const FILE_BYTES_MAX = 64 * 1_048_576;

/** What the operator gave cannot be used: one line that says what to correct. */
export class UsageError extends Error {}

/**
 * One device a line: `token`, or `name,token` as a spreadsheet exports it. Blank lines, lines that begin with # and a
 * heading `name,token` are passed over.
 * @throws UsageError
 */
export function readTokenFile(path: string): Credential[] {
  return parseTokens(readText(path)).map(({ name, accessToken }, index) => ({
    name: name ?? `device-${index + 1}`,
    accessToken,
  }));
}

function readText(path: string): string {
  try {
    if (statSync(path).size > FILE_BYTES_MAX)
      throw new UsageError(`--token-file ${path} is over ${FILE_BYTES_MAX} bytes.`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error;
    throw new UsageError(`--token-file ${path} cannot be read: ${error.message}.`);
  }
}

function parseTokens(text: string): { name: string | null; accessToken: string }[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim());
  return lines.filter(namesDevice).map((line) => {
    // A name may hold commas, a token does not.
    const comma = line.lastIndexOf(',');
    return { name: comma < 0 ? null : unquoted(line.slice(0, comma)), accessToken: unquoted(line.slice(comma + 1)) };
  });
}

function namesDevice(line: string): boolean {
  return line !== '' && !line.startsWith('#') && !/^"?name"?,"?(access)?token"?$/i.test(line);
}

function unquoted(field: string): string {
  const inner = /^"(.*)"$/.exec(field.trim())?.[1];
  return inner?.replaceAll('""', '"') ?? field.trim();
}
