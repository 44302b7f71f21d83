/** A server in a process of its own, started as an operator starts it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ADMIN = { email: 'admin@example.com', password: 'a password for measuring' } as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 20_000;
/** Kept of what the server says, for when it ends before it is ready. */
const OUTPUT_KEPT_CHARACTERS = 10_000;

export type Settings = Readonly<Record<string, string>>;

export class ServerProcess implements AsyncDisposable {
  readonly url: URL;
  /** From the start of the command to its line `ready`. */
  readonly readyMs: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: URL, readyMs: number) {
    this.#child = child;
    this.url = url;
    this.readyMs = readyMs;
  }

  /** Of the command, which is the server itself unless npm started it. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the server is ready. Nothing of our own environment but where programs and folders are reaches it. */
  static async start(command: readonly [string, ...string[]], settings: Settings): Promise<ServerProcess> {
    const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
    const startedAt = performance.now();
    const [program, ...args] = command;
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { PATH, HOME, TMPDIR, ...listening(), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that all of it can be ended where the server does not end by itself.
      detached: true,
    });
    try {
      const url = await readyUrl(child);
      return new ServerProcess(child, url, performance.now() - startedAt);
    } catch (error) {
      killGroup(child);
      throw error;
    }
  }

  /** @throws where it does not end cleanly within 20 s */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'close', { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
    this.#child.kill('SIGTERM');
    try {
      await ended;
    } catch {
      killGroup(this.#child);
      throw new Error(`The server did not end within ${STOP_TIMEOUT_MS} ms of SIGTERM.`);
    }
    if (this.#child.exitCode !== 0) throw new Error(`The server ended with ${this.#child.exitCode}.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function listening(): Settings {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    MQTT_PORT: 'off',
    COAP_PORT: 'off',
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  };
}

async function readyUrl(child: ChildProcess): Promise<URL> {
  let output = '';
  const url = await new Promise<string | undefined>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-OUTPUT_KEPT_CHARACTERS);
        const [, said] = /^ready (\S+)\n/m.exec(output) ?? [];
        if (said !== undefined) resolve(said);
      });
    }
    child.once('error', (error) => {
      output += error.message;
      resolve(undefined);
    });
    child.once('close', () => resolve(undefined));
    setTimeout(() => resolve(undefined), READY_TIMEOUT_MS).unref();
  });
  if (url === undefined) throw new Error(`The server did not become ready. It said:\n${output}`);
  return new URL(url);
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
