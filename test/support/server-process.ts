/** A server in a process of its own, started as an operator starts it. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ADMIN = { email: 'admin@example.com', password: 'a password for measuring' } as const;

/** What `npm start` runs in the end, once everything is built. */
export const SERVER = [process.execPath, '--enable-source-maps', 'dist/server/main.js'] as const;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_TIMEOUT_MS = 300_000;
const STOP_TIMEOUT_MS = 20_000;
/** Kept of what the server says, the last of it. */
const OUTPUT_KEPT_CHARACTERS = 100_000;

export type Settings = Readonly<Record<string, string>>;
type Command = readonly [string, ...string[]];

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ServerProcess implements AsyncDisposable {
  readonly url: URL;
  /** From the start of the command to its line `ready`. */
  readonly readyMs: number;
  readonly #child: Child;

  private constructor(child: Child, url: URL, readyMs: number) {
    this.#child = child;
    this.url = url;
    this.readyMs = readyMs;
  }

  /** Of the command, which is the server itself unless npm started it. */
  get pid(): number {
    return this.#child.process.pid ?? 0;
  }

  /** What was said so far on standard output. */
  get stdout(): string {
    return this.#child.said.stdout;
  }

  /** Fulfilled when it has ended, by whatever. */
  get ended(): Promise<Ended> {
    return this.#child.ended;
  }

  /** Resolves when the server is ready. Nothing of our own environment but where programs and folders are reaches it. */
  static async start(command: Command, settings: Settings): Promise<ServerProcess> {
    const startedAt = performance.now();
    const child = new Child(command, settings);
    try {
      const url = await child.readyUrl();
      return new ServerProcess(child, url, performance.now() - startedAt);
    } catch (error) {
      child.killGroup();
      throw error;
    }
  }

  /** A server that is not to become ready. */
  static async failToStart(settings: Settings): Promise<Ended> {
    const child = new Child(SERVER, settings);
    const timer = setTimeout(() => child.killGroup(), READY_TIMEOUT_MS);
    const ended = await child.ended;
    clearTimeout(timer);
    return ended;
  }

  /** @throws where it does not end cleanly within 20 s */
  async stop(): Promise<void> {
    const { process: child } = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => this.#child.killGroup(), STOP_TIMEOUT_MS);
    child.kill('SIGTERM');
    const { code, stderr } = await this.#child.ended;
    clearTimeout(timer);
    if (child.signalCode !== null) throw new Error(`The server did not end within ${STOP_TIMEOUT_MS} ms of SIGTERM.`);
    if (code !== 0) throw new Error(`The server ended with ${code}. It said:\n${stderr}`);
  }

  /** Ends it without a word, and returns when it has gone. @throws where it had ended by itself */
  async kill(): Promise<void> {
    const { process: child } = this.#child;
    if (child.exitCode !== null) throw new Error(`The server had ended by itself:\n${this.#child.said.stderr}`);
    child.kill('SIGKILL');
    await this.#child.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

class Child {
  readonly process: ChildProcess;
  readonly said = { stdout: '', stderr: '' };
  readonly ended: Promise<Ended>;

  constructor([program, ...args]: Command, settings: Settings) {
    const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env;
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { PATH, HOME, TMPDIR, ...listening(), ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that all of it can be ended where the server does not end by itself.
      detached: true,
    });
    this.process = child;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        this.said[name] = (this.said[name] + text).slice(-OUTPUT_KEPT_CHARACTERS);
      });
    }
    child.once('error', (error) => (this.said.stderr += error.message));
    this.ended = once(child, 'close').then(
      ([code]: unknown[]) => ({ code: typeof code === 'number' ? code : null, ...this.said }),
      () => ({ code: null, ...this.said }),
    );
  }

  async readyUrl(): Promise<URL> {
    const url = await new Promise<string | undefined>((resolve) => {
      this.process.stdout?.on('data', () => {
        const [, said] = /^ready (\S+)\n/m.exec(this.said.stdout) ?? [];
        if (said !== undefined) resolve(said);
      });
      void this.ended.then(() => resolve(undefined));
      setTimeout(() => resolve(undefined), READY_TIMEOUT_MS).unref();
    });
    if (url !== undefined) return new URL(url);
    throw new Error(`The server did not become ready. It said:\n${this.said.stdout}${this.said.stderr}`);
  }

  killGroup(): void {
    try {
      if (this.process.pid !== undefined) process.kill(-this.process.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
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
