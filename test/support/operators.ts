/**
 * Operators at work on a server that dies under them: each does one thing after the other, again and again, and remembers what
 * was acknowledged. What was not may have happened or not, and is not done again under the same name.
 */
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Random } from '../fleet/random.ts';
import { randomOf } from '../fleet/random.ts';
import type { PackageType } from '../fleet/transport.ts';
import { document } from './contract.ts';
import type { GraphqlAnswer, GraphqlClient } from './graphql.ts';

export interface AcknowledgedPackage {
  readonly id: string;
  readonly sha256: string;
  readonly size: number;
}

export interface AcknowledgedAssignment {
  readonly id: string;
  readonly packageId: string;
  readonly deviceProfileId: string | null;
  readonly deviceId: string | null;
}

export interface AcknowledgedDevice {
  readonly id: string;
  readonly name: string;
  readonly accessToken: string;
}

/** From one write of a file to many. */
const PACKAGE_BYTES = [1, 1_000, 60_000, 1_000_000, 8_000_000] as const;

/** The server did not answer, or could not at this moment. */
class Unacknowledged extends Error {}

type Subject = { readonly deviceProfileId: string } | { readonly deviceId: string };

export class Operators {
  readonly packages: AcknowledgedPackage[] = [];
  readonly assignments: AcknowledgedAssignment[] = [];
  readonly devices: AcknowledgedDevice[] = [];
  /** Acts that were not acknowledged. */
  readonly lost = { upload: 0, assignment: 0, creation: 0 };
  /** Tells `uploading` when bytes are about to go, and `assigned` when a profile's assignment was acknowledged. */
  readonly moments = new EventEmitter<{ uploading: []; assigned: [] }>();
  uploadsUnderWay = 0;
  readonly #admin: GraphqlClient;
  readonly #deviceProfileId: string;
  readonly #ready: () => Promise<void>;
  readonly #seed: number;
  #names = 0;

  constructor(
    admin: GraphqlClient,
    its: { readonly deviceProfileId: string; readonly seed: number; readonly ready: () => Promise<void> },
  ) {
    this.#admin = admin;
    this.#deviceProfileId = its.deviceProfileId;
    this.#seed = its.seed;
    this.#ready = its.ready;
  }

  random(whose: string): Random {
    return randomOf(this.#seed, whose);
  }

  /** A package of some size, once one is acknowledged. */
  async upload(type: PackageType, random: Random): Promise<AcknowledgedPackage> {
    return this.#untilAcknowledged('upload', async () => {
      const bytes = randomBytes(random.pick(PACKAGE_BYTES));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const { id } = await this.#send(bytes, type);
      const made = { id, sha256, size: bytes.length };
      this.packages.push(made);
      return made;
    });
  }

  /** Once it is acknowledged. */
  async assign(packageId: string, subject: Subject): Promise<void> {
    const { id } = await this.#untilAcknowledged('assignment', () =>
      this.#act('AssignOtaPackage', { packageId, ...subject }),
    );
    this.assignments.push({ id, packageId, deviceProfileId: null, deviceId: null, ...subject });
    if ('deviceProfileId' in subject) this.moments.emit('assigned');
  }

  async assignToProfile(packageId: string): Promise<void> {
    await this.assign(packageId, { deviceProfileId: this.#deviceProfileId });
  }

  async createDevice(): Promise<AcknowledgedDevice> {
    return this.#untilAcknowledged('creation', async () => {
      const name = this.#newName('device');
      const { id, accessToken } = await this.#act('CreateDevice', { name, deviceProfileId: this.#deviceProfileId });
      const made = { id, name, accessToken };
      this.devices.push(made);
      return made;
    });
  }

  async #send(bytes: Buffer<ArrayBuffer>, type: PackageType): Promise<Record<string, any>> {
    const input = { title: this.#newName('package'), version: '1', type, deviceProfileId: this.#deviceProfileId };
    this.uploadsUnderWay += 1;
    this.moments.emit('uploading');
    try {
      return resultOf(
        await answered(async () => {
          const response = await this.#admin.upload(document('CreateOtaPackage'), { input }, { name: 'f.bin', bytes });
          return (await response.json()) as GraphqlAnswer;
        }),
      );
    } finally {
      this.uploadsUnderWay -= 1;
    }
  }

  async #act(operation: string, variables: Record<string, unknown>): Promise<Record<string, any>> {
    return resultOf(await answered(() => this.#admin.send(document(operation), variables)));
  }

  async #untilAcknowledged<T>(kind: keyof Operators['lost'], act: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#ready();
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Unacknowledged)) throw error;
        this.lost[kind] += 1;
      }
    }
  }

  #newName(kind: string): string {
    this.#names += 1;
    return `${kind} ${this.#names}`;
  }
}

/** fetch throws a TypeError where no whole answer came. */
async function answered(send: () => Promise<GraphqlAnswer>): Promise<GraphqlAnswer> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof TypeError) throw new Unacknowledged('no answer', { cause: error });
    throw error;
  }
}

/** @throws Unacknowledged where the server asks to come again; anything else is not expected */
function resultOf({ data, errors }: GraphqlAnswer): Record<string, any> {
  const result = Object.values(data ?? {})[0];
  const code = errors?.[0]?.extensions?.code ?? result?.code;
  if (code === 'UNAVAILABLE') throw new Unacknowledged(code);
  if (code !== undefined || errors !== undefined || result == null) {
    throw new Error(`not expected of the server: ${JSON.stringify(errors ?? result)}`);
  }
  return result;
}
