/** A subscription whose messages a test takes one by one. */
import type { Client } from 'graphql-ws';

type Message =
  | { readonly data: Record<string, any> }
  | { readonly errors: readonly any[] }
  | { readonly completed: true };

const PATIENCE_MS = 10_000;

export class Subscription implements Disposable {
  readonly #messages: Message[] = [];
  readonly #stop: () => void;
  #arrived: () => void = () => {};

  constructor(client: Client, query: string, variables: Record<string, unknown> = {}) {
    this.#stop = client.subscribe<Record<string, any>>(
      { query, variables },
      {
        next: ({ data, errors }) => this.#take(errors === undefined ? { data: data ?? {} } : { errors }),
        error: (error) => this.#take({ errors: Array.isArray(error) ? error : [error] }),
        complete: () => this.#take({ completed: true }),
      },
    );
  }

  /** The next value of the one field. */
  async next(): Promise<Record<string, any>> {
    const message = await this.#message();
    if (!('data' in message)) throw new Error(`the subscription ended: ${JSON.stringify(message)}`);
    return Object.values(message.data)[0];
  }

  /** The values until one that is wanted, and it. */
  async until(isWanted: (value: Record<string, any>) => boolean): Promise<Record<string, any>[]> {
    const values = [await this.next()];
    while (!isWanted(values.at(-1)!)) values.push(await this.next());
    return values;
  }

  /** The code by which it ends, passing over what came before. */
  async end(): Promise<string> {
    for (;;) {
      const message = await this.#message();
      if ('errors' in message) return message.errors[0]?.extensions?.code ?? JSON.stringify(message.errors);
      if ('completed' in message) return 'COMPLETED';
    }
  }

  /** Messages that wait to be taken. */
  get pending(): number {
    return this.#messages.length;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #take(message: Message): void {
    this.#messages.push(message);
    this.#arrived();
  }

  async #message(): Promise<Message> {
    const deadline = Date.now() + PATIENCE_MS;
    while (this.#messages.length === 0) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`nothing came in ${PATIENCE_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#messages.shift()!;
  }
}
