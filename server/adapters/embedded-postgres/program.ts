/** Runs one of PostgreSQL's programs to its end, as its account. */
import { spawn } from 'node:child_process';
import type { Account } from './account.ts';

/**
 * Nothing of our environment: PGDATA or PGPORT would be obeyed. LC_ALL=C, because some messages are recognised by their
 * words.
 */
export const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** Of what a program says, this much of the end is kept. */
const SAID_CHARACTERS_MAX = 16_384;

export interface Ended {
  /** 0 is success; undefined where a signal ended it. */
  readonly code: number | undefined;
  /** Standard output and error together. */
  readonly said: string;
}

/** Throws the system's error (ENOENT, EACCES, EPERM …) where the program cannot be started at all. */
export function run(program: string, args: readonly string[], account: Account | undefined): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // The working directory may be one that the account cannot enter, which PostgreSQL's programs refuse.
    const child = spawn(program, args, {
      ...identity(account),
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const hear = (text: string): void => void (said = (said + text).slice(-SAID_CHARACTERS_MAX));
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? undefined, said }));
  });
}

export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

/** The line of `said` that tells why, for a message of one line. */
export function reason(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  const telling =
    lines.find((line) => /(FATAL|PANIC|ERROR|error):/.test(line)) ?? lines.findLast((line) => line !== '');
  return telling ?? 'it said nothing';
}
