/**
 * The postmaster, PostgreSQL's first process: found, started, ended. It outlives our own sudden death and is found
 * again.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import type { Binaries } from './binaries.ts';
import type { Place } from './place.ts';
import { ENVIRONMENT, identity, reason, run } from './program.ts';

/**
 * What a postmaster says of itself in postmaster.pid (pidfile.h: pid, directory, start, port, socket directory,
 * address, key, status).
 */
export interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly socketDir: string;
  readonly status: string;
}

/** Given on the command line, they hold whatever the files of the cluster say. */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  // Docker gives a container 64 MB of /dev/shm, where parallel plans keep what they share.
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors reach whoever sent the statement; many are expected there (a name that is taken).
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_line_prefix: '',
  logging_collector: 'off',
  cluster_name: 'aloft',
};

/** Of its messages, the last ones tell why it ended. */
const LINES_KEPT_MAX = 20;

export async function readPidFile(cluster: string): Promise<PidFile | undefined> {
  return parsePidFile(await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => ''));
}

/** Undefined while it is being written, and where the postmaster has no socket. */
export function parsePidFile(text: string): PidFile | undefined {
  const [pid, , , port, socketDir, , , status] = text.split('\n').map((line) => line.trim());
  if (!Number(pid) || !Number(port) || !socketDir) return undefined;
  return { pid: Number(pid), port: Number(port), socketDir, status: status ?? '' };
}

/**
 * Starts one. Fulfilled with nothing when it accepts connections, or, if it ends before, with the line that tells why.
 * `settings` come after our own and may replace them.
 */
export function startPostmaster(
  { postgres }: Binaries,
  { cluster, account }: Place,
  socketDir: string,
  settings: Readonly<Record<string, string>>,
  lookMs: number,
  log: Logger,
): Promise<string | undefined> {
  // A list whose elements may be quoted, since a path may hold a comma.
  const all = { ...SETTINGS, unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`, ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', cluster, ...args], {
    ...identity(account),
    cwd: '/',
    env: ENVIRONMENT,
    // In a session of its own: Ctrl-C in our terminal is for us, and we end it when we have finished with it.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines = createInterface({ input: child.stderr });
  const last: string[] = [];
  lines.on('line', (line) => {
    last.push(line);
    if (last.length > LINES_KEPT_MAX) last.shift();
    log[line.startsWith('PANIC:') ? 'error' : 'debug'](`PostgreSQL: ${line}`);
  });
  return new Promise((resolve) => {
    const settle = (fault: string | undefined): void => {
      // From here on it is no reason for us to stay.
      child.unref();
      if (child.stderr instanceof Socket) child.stderr.unref();
      resolve(fault);
    };
    const end = (): void => settle(reason(last.join('\n')));
    lines.on('line', (line) => {
      if (line.includes('ready to accept connections')) settle(undefined);
    });
    child.once('error', (error) => settle(error.message));
    child.once('close', end);
    // Where something of it outlives it and holds its standard error open, 'close' is late.
    child.once('exit', () => setTimeout(end, lookMs));
  });
}

/**
 * Ends the postmaster of `cluster`, whoever started it, and returns when it has gone: cleanly, or beyond `waitMs` at
 * once, which loses nothing and makes the next start recover. pg_ctl runs as the account, so that it can end nothing
 * that is not the account's.
 */
export async function stopPostmaster({ pgCtl }: Binaries, { cluster, account }: Place, waitMs: number): Promise<void> {
  for (const mode of ['fast', 'immediate']) {
    const { code } = await run(
      pgCtl,
      ['stop', '-D', cluster, '-m', mode, '-t', String(Math.ceil(waitMs / 1_000))],
      account,
    );
    if (code === 0 || (await readPidFile(cluster)) === undefined) return;
  }
}
