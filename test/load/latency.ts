/**
 * From a device's report, as it is sent, to the message that a subscriber gets of it. One report at a time, at moments drawn at
 * random, since the server sends what happens in the last moments together.
 */
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { randomOf } from '../fleet/random.ts';
import { quantile } from './figure.ts';
import type { Figure } from './figure.ts';
import { KeepAliveConnection, postRequest } from './keep-alive.ts';
import type { TrialServer } from './trial-server.ts';

const SAMPLES = 200;
const PAUSE_MAX_MS = 200;
const MESSAGE_TIMEOUT_MS = 10_000;
const MEDIAN_MAX_MS = 150;
const DEVICE = 'latency-0';
const PACKAGE_BYTES = 4_096;

const UPDATE_EVENTS = `subscription { updateEvents(filter: {}) { cursor events { state device { name } } } }`;

interface UpdateEvents {
  readonly updateEvents: {
    readonly events: readonly { readonly state: string; readonly device: { readonly name: string } }[];
  };
}

export async function measureLatency({ server, management }: TrialServer): Promise<Figure> {
  const profile = await management.createProfile('load: latency');
  await management.createDevices(profile, [DEVICE]);
  const { id } = await management.upload(profile, 'load: latency', PACKAGE_BYTES);

  using subscriber = new Subscriber(server.url, management.token);
  await subscriber.firstMessage;
  const told = subscriber.hears('INITIATED');
  await management.assign(id, profile);
  await told;

  using connection = await KeepAliveConnection.open(server.url);
  const random = randomOf(1, 'latency');
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    await delay(random.integer(0, PAUSE_MAX_MS));
    const state = sample % 2 === 0 ? 'DOWNLOADING' : 'DOWNLOADED';
    const heard = subscriber.hears(state);
    const sentAt = performance.now();
    const path = `/api/v1/${DEVICE}/telemetry`;
    const status = await connection.send(postRequest(server.url, path, JSON.stringify({ fw_state: state })));
    if (status !== 200) throw new Error(`A report was answered ${status}.`);
    times.push((await heard) - sentAt);
  }
  return {
    name: `device's report to the subscriber's message (median of ${SAMPLES}; 99 % within ${quantile(times, 0.99).toFixed(0)} ms)`,
    measured: quantile(times, 0.5),
    reference: MEDIAN_MAX_MS,
    unit: 'ms',
    ratio: { atMost: 1 },
  };
}

/** Tells each state that it hears of the device, with the moment. */
class Subscriber implements Disposable {
  readonly firstMessage: Promise<unknown>;
  readonly #heard = new EventEmitter();
  readonly #client: ReturnType<typeof createClient>;

  constructor(url: URL, token: string) {
    this.#client = createClient({
      url: `ws://${url.host}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${token}` },
      retryAttempts: 0,
    });
    this.firstMessage = this.#await('message');
    this.#client.subscribe<UpdateEvents>(
      { query: UPDATE_EVENTS },
      {
        next: ({ data, errors }) => {
          const at = performance.now();
          if (errors !== undefined) this.#heard.emit('error', errors[0]);
          for (const { state, device } of data?.updateEvents.events ?? [])
            if (device.name === DEVICE) this.#heard.emit(state, at);
          this.#heard.emit('message', at);
        },
        error: (error) => this.#heard.emit('error', error instanceof Error ? error : new Error(JSON.stringify(error))),
        complete: () => this.#heard.emit('error', new Error('The subscription ended.')),
      },
    );
  }

  /** Resolves with the moment, in ms of performance.now, at which the next message of this state came. */
  hears(state: string): Promise<number> {
    return this.#await(state);
  }

  [Symbol.dispose](): void {
    this.#heard.on('error', () => {});
    void this.#client.dispose();
  }

  async #await(event: string): Promise<number> {
    const [at]: unknown[] = await once(this.#heard, event, { signal: AbortSignal.timeout(MESSAGE_TIMEOUT_MS) });
    return Number(at);
  }
}
