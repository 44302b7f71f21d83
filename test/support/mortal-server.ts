/** A server that is killed and comes back: on one port, over one directory, with its embedded database. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { findPlace } from '../../server/adapters/embedded-postgres/place.ts';
import { postmasterOf } from './database-in-process.ts';
import { freePort } from './free-port.ts';
import { SERVER, ServerProcess } from './server-process.ts';
import type { Settings } from './server-process.ts';
import { gate } from './uncommitted.ts';

/** Between the two kills, where PostgreSQL is killed too. */
const APART_MAX_MS = 20;

export class MortalServer {
  readonly url: URL;
  readonly #settings: Settings;
  #process: ServerProcess;
  #up = gate<void>();

  private constructor(settings: Settings, process: ServerProcess) {
    this.url = process.url;
    this.#settings = settings;
    this.#process = process;
    this.#up.open();
  }

  static async start(settings: Settings): Promise<MortalServer> {
    const all = { PORT: String(await freePort()), ...settings };
    return new MortalServer(all, await ServerProcess.start(SERVER, all));
  }

  /** Resolves as soon as the server is ready: at once, unless it was killed. */
  get ready(): Promise<void> {
    return this.#up.opened;
  }

  /** SIGKILL, to PostgreSQL too where one of the two is to go first. The server is not ready until `startAgain`. */
  async kill(first: 'Aloft alone' | 'Aloft first' | 'PostgreSQL first', fraction: number): Promise<void> {
    this.#up = gate();
    const postmaster = first === 'Aloft alone' ? null : await this.postmaster();
    if (postmaster !== null && first === 'PostgreSQL first') {
      process.kill(postmaster, 'SIGKILL');
      await delay(fraction * APART_MAX_MS);
    }
    await this.#process.kill();
    if (postmaster !== null && first === 'Aloft first') process.kill(postmaster, 'SIGKILL');
  }

  async startAgain(): Promise<void> {
    this.#process = await ServerProcess.start(SERVER, this.#settings);
    this.#up.open();
  }

  /** @throws where it does not end cleanly */
  async stop(): Promise<void> {
    this.#up = gate();
    await this.#process.stop();
  }

  /** Directory of the embedded database. */
  async cluster(): Promise<string> {
    return (await findPlace(this.#settings['DATA_DIR'] ?? '', pino({ level: 'silent' }))).cluster;
  }

  async postmaster(): Promise<number> {
    return postmasterOf(await this.cluster());
  }

  /** Whatever became of the test: neither the server nor its database goes on. */
  async end(): Promise<void> {
    await this.#process.kill().catch(() => undefined);
    const cluster = await this.cluster();
    if (existsSync(join(cluster, 'postmaster.pid'))) process.kill(await this.postmaster(), 'SIGKILL');
  }
}
