/** Passwords as argon2id hashes. Hashing takes memory and a core, so only a few run at once and the queue for them is short. */
import { hash, verify } from '@node-rs/argon2';
import type { Limits } from '../config.ts';
import { UnavailableError } from '../domain/errors.ts';
import type { Passwords } from '../domain/ports.ts';

export class ArgonPasswords implements Passwords {
  readonly #limits: Pick<Limits, 'passwordHashesMax' | 'passwordHashQueueMax'>;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** Of a password that nobody has: looked at where there is no account, so that it takes as long. */
  readonly #nobody: Promise<string>;

  constructor(limits: Pick<Limits, 'passwordHashesMax' | 'passwordHashQueueMax'>) {
    this.#limits = limits;
    this.#nobody = hash(crypto.randomUUID());
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password));
  }

  verify(passwordHash: string | null, password: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const isRight = await verify(passwordHash ?? (await this.#nobody), password);
      return isRight && passwordHash !== null;
    });
  }

  /** A turn is handed on from the one who ends to the one who waits longest. */
  async #inTurn<R>(work: () => Promise<R>): Promise<R> {
    if (this.#running < this.#limits.passwordHashesMax) this.#running += 1;
    else if (this.#waiting.length >= this.#limits.passwordHashQueueMax) {
      throw new UnavailableError('Too many sign-ins at once. Try again soon.');
    } else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
