/** A subscriber of `updateEvents` that outlives its server: it goes on from its last cursor as soon as the server is back. */
import type { Client } from 'graphql-ws';
import { document } from './contract.ts';
import type { GraphqlClient } from './graphql.ts';

export interface HeardEvent {
  readonly updateId: string;
  readonly revision: number;
  readonly state: string;
  readonly deviceId: string;
  readonly packageId: string;
}

interface Batch {
  readonly cursor: string;
  readonly events: readonly {
    readonly state: string;
    readonly device: { readonly id: string };
    readonly update: { readonly id: string; readonly revision: number; readonly package: { readonly id: string } };
  }[];
}

/** Refusals on which a subscriber comes again with its cursor. */
const COME_AGAIN: ReadonlySet<unknown> = new Set(['UNAVAILABLE', 'SLOW_CONSUMER']);

export class FollowedLog {
  /** In the order in which they came. */
  readonly events: HeardEvent[] = [];
  /** How often it began. */
  starts = 0;
  /** Rejects where a subscription is refused for good. */
  readonly ended: Promise<void>;
  readonly #admin: GraphqlClient;
  readonly #ready: () => Promise<void>;
  readonly #waiting = new Set<() => void>();
  #cursor: string | null = null;
  #client: Client | undefined;
  #isStopped = false;

  constructor(admin: GraphqlClient, ready: () => Promise<void>) {
    this.#admin = admin;
    this.#ready = ready;
    this.ended = this.#follow();
  }

  /** Resolves once the condition holds, which is looked at with every batch. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Where it has begun, and nothing that is committed from now on will be missed. */
  get hasBegun(): boolean {
    return this.#cursor !== null;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#client?.dispose();
    await this.ended;
  }

  async #follow(): Promise<void> {
    while (!this.#isStopped) {
      await this.#ready();
      this.starts += 1;
      await this.#subscribe();
    }
  }

  /** Resolves when the connection is gone. */
  async #subscribe(): Promise<void> {
    const client = this.#admin.socket();
    this.#client = client;
    await new Promise<void>((resolve, reject) => {
      client.on('closed', () => resolve());
      client.subscribe<{ updateEvents: Batch }>(
        { query: document('UpdateEvents'), variables: { after: this.#cursor } },
        {
          next: ({ data, errors }) => {
            if (errors !== undefined) reject(new Error(JSON.stringify(errors)));
            if (data != null) this.#take(data.updateEvents);
          },
          error: (error) => {
            const refused = Array.isArray(error) && !COME_AGAIN.has(error[0]?.extensions?.code);
            if (refused) reject(new Error(JSON.stringify(error)));
            else resolve();
          },
          complete: resolve,
        },
      );
    }).finally(() => client.terminate());
  }

  #take({ cursor, events }: Batch): void {
    this.#cursor = cursor;
    for (const { state, device, update } of events) {
      const { id: updateId, revision } = update;
      this.events.push({ updateId, revision, state, deviceId: device.id, packageId: update.package.id });
    }
    for (const look of this.#waiting) look();
    this.#waiting.clear();
  }
}
