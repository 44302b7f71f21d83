/** What operations need whatever carries them: who asks, the documents, what all share. */
import { authenticate } from '../domain/session.ts';
import { SignInAttempts } from '../domain/sign-in-attempts.ts';
import type { Context, Services } from './context.ts';
import { Documents } from './documents.ts';
import { FleetCounts } from './fleet-counts.ts';
import { makeLoaders } from './loaders.ts';
import { schema } from './schema.ts';
import { UpdateFeed } from './update-feed.ts';

export class Operations {
  readonly services: Services;
  readonly documents: Documents;
  readonly #signInAttempts: SignInAttempts;
  readonly #fleetCounts: FleetCounts;
  readonly #updateFeed: UpdateFeed;

  constructor(services: Services) {
    this.services = services;
    this.documents = new Documents(schema, services.limits);
    this.#signInAttempts = new SignInAttempts(services.limits);
    this.#fleetCounts = new FleetCounts(services);
    this.#updateFeed = new UpdateFeed(services);
  }

  /** A context for one operation. A token that nobody has is like none. */
  async contextOf(token: string | null, address: string, unreadBytes?: () => number): Promise<Context> {
    const { services } = this;
    const viewer = token === null ? null : await authenticate(services.query, token, new Date(services.clock.now()));
    return {
      services,
      viewer,
      address,
      signInAttempts: this.#signInAttempts,
      loaders: makeLoaders(services),
      fleetCounts: this.#fleetCounts,
      updateFeed: this.#updateFeed,
      ...(unreadBytes === undefined ? {} : { unreadBytes }),
    };
  }
}
