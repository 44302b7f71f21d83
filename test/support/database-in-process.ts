/** Runs database-process.mjs as a child and hears what it tells. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client, type QueryResultRow } from 'pg';
import { execute } from './execute.ts';

export interface Start {
  readonly env: Record<string, string>;
  /** The checkout whose compiled code is run; this one by default. */
  readonly checkout?: string;
  readonly cwd?: string;
  /** Where we are root: another user to be. */
  readonly uid?: number;
}

/** What the child tells, one kind a line. */
interface Line {
  readonly opened?: { readonly ms: number; readonly host: string; readonly cluster: string };
  readonly written?: number;
  readonly failed?: string;
  readonly warned?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));

/** Those that live. */
const living = new Set<DatabaseProcess>();

/** After a test that failed in the middle: none is left behind. */
export async function killLeftOver(): Promise<void> {
  await Promise.all([...living].map((left) => left.kill('SIGKILL')));
}

export class DatabaseProcess implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];
  #over = false;

  constructor({ env, checkout = CHECKOUT, cwd = '/', uid }: Start) {
    const script = join(checkout, 'test', 'support', 'database-process.mjs');
    const child = spawn(process.execPath, [script], {
      env: { PATH: process.env['PATH'], ...env },
      cwd,
      ...(uid !== undefined && { uid, gid: uid }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    living.add(this);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.ended = once(child, 'close').then(([code]) => ({ code, stderr }));
    child.once('close', () => {
      this.#over = true;
      living.delete(this);
      this.#wake();
    });
  }

  /** What the first line from number `from` on tells under `key`. Fails when the process ends without one. */
  async told<K extends keyof Line>(key: K, from = 0): Promise<NonNullable<Line[K]>> {
    const value: Line[K] | undefined = this.lines[await this.find((line) => line[key] !== undefined, from)]?.[key];
    if (value === undefined) throw new Error(`found no "${key}"`);
    return value;
  }

  /** The number of the first line from number `from` on that `matches`. */
  async find(matches: (line: Line) => boolean, from = 0): Promise<number> {
    for (;;) {
      const found = this.lines.findIndex((line, index) => index >= from && matches(line));
      if (found !== -1) return found;
      if (this.#over) throw new Error(`The process has ended without telling that: ${(await this.ended).stderr}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Returns when it has ended. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  #wake(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGTERM');
  }
}

/** The postmaster of a cluster, by the file in which it says so. */
export async function postmasterOf(cluster: string): Promise<number> {
  return Number.parseInt(await readFile(join(cluster, 'postmaster.pid'), 'utf8'), 10);
}

/** The one line with which a process refuses to start. */
export async function refusal(env: Record<string, string>, start: Omit<Start, 'env'> = {}): Promise<string> {
  const { code, stderr } = await new DatabaseProcess({ ...start, env }).ended;
  const [line, ...more] = stderr.split('\n').filter((text) => text !== '');
  if (code !== 1 || line === undefined || more.length > 0)
    throw new Error(`not refused in one line, but ended ${code}: ${stderr}`);
  return line;
}

/** Whether a process lives; one that has ended and was not yet fetched by its parent does not. */
export async function alive(pid: number): Promise<boolean> {
  const { output } = await execute('ps', ['-o', 'stat=', '-p', String(pid)]);
  return output.trim() !== '' && !output.trim().startsWith('Z');
}

/** Returns when a process that has been told to end has ended. */
export async function gone(pid: number): Promise<void> {
  while (await alive(pid));
}

/** A connection to the database behind a socket, told apart from Aloft's own by its name. */
export async function connect(host: string): Promise<Client> {
  const client = new Client({ host, user: 'aloft', database: 'aloft', application_name: 'test' });
  // It is broken on purpose; its queries fail.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function ask<R>(host: string, text: string, values: unknown[] = []): Promise<R[]> {
  const client = await connect(host);
  try {
    return (await client.query<R & QueryResultRow>(text, values)).rows;
  } finally {
    await client.end();
  }
}
