/** Time, corrected to the database's clock: several servers then pace by one clock, and a wrong one harms nobody. */
import type { Logger } from 'pino';
import type { Clock } from '../domain/ports.ts';
import { queryOn } from './database.ts';
import type { Database } from './database.ts';

const CORRECT_EVERY_MS = 60_000;

export class DatabaseClock implements Clock, Disposable {
  readonly #database: Database;
  readonly #timer: NodeJS.Timeout;
  /** What the database's clock is ahead of ours, ms. */
  #ahead = 0;

  static async open(database: Database, logger: Logger): Promise<DatabaseClock> {
    const clock = new DatabaseClock(database, logger);
    await clock.#correct();
    return clock;
  }

  private constructor(database: Database, logger: Logger) {
    this.#database = database;
    this.#timer = setInterval(() => {
      this.#correct().catch((error: unknown) => logger.warn({ err: error }, 'the clock could not be corrected'));
    }, CORRECT_EVERY_MS).unref();
  }

  now(): number {
    return Date.now() + this.#ahead;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #correct(): Promise<void> {
    const asked = Date.now();
    const [row] = await queryOn(this.#database.pool)<{ ms: number }>(
      'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
      [],
    );
    if (row !== undefined) this.#ahead = Math.round(row.ms - (asked + Date.now()) / 2);
  }
}
