/** Gives back what was made, the last first; what fails to be given back does not keep the rest. */
import type { Logger } from 'pino';

export class Disposers implements AsyncDisposable {
  readonly #parts: (readonly [name: string, part: AsyncDisposable | Disposable])[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  use<T extends AsyncDisposable | Disposable>(name: string, part: T): T {
    this.#parts.push([name, part]);
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (let last = this.#parts.pop(); last !== undefined; last = this.#parts.pop()) {
      const [name, part] = last;
      try {
        if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
        else part[Symbol.dispose]();
      } catch (error) {
        this.#logger.error({ err: error, part: name }, 'a part could not be ended cleanly');
      }
    }
  }
}
