/**
 * A loop takes no input: woken by the log or by its timer, it reads the state and does what the state asks, the same every
 * time. It may die on any line.
 */
import type { Logger } from 'pino';

/** @returns after how many ms to look again, at the latest; nothing: after the loop's idle time */
export type Pass = (signal: AbortSignal) => Promise<number | undefined>;

export class Loop implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #wake: () => void = () => {};
  #isWoken = false;

  constructor(name: string, pass: Pass, idleMs: number, logger: Logger) {
    this.#running = this.#run(pass, idleMs, logger.child({ loop: name }));
  }

  /** There may be something to do. Calls in the middle of a pass lead to one more pass. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.#running;
  }

  async #run(pass: Pass, idleMs: number, logger: Logger): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isWoken = false;
      let waitMs: number | undefined;
      try {
        waitMs = await pass(this.#stop.signal);
      } catch (error) {
        // The state is as it was: the next pass does it.
        logger.warn({ err: error }, 'a pass failed; trying again');
      }
      await this.#sleep(Math.min(waitMs ?? idleMs, idleMs));
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isWoken || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
