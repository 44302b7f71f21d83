/**
 * What any device may say, and our answer. Knows no transport: HTTP, MQTT, CoAP and LwM2M translate to and from it.
 *
 * A refusal is thrown (domain/errors.ts) and has changed nothing; what resolves is committed.
 */
import type { Logger } from 'pino';
import type { PackageType } from '../../prisma/client/enums.ts';
import type { Limits } from '../config.ts';
import { UnauthenticatedError, ValidationError } from '../domain/errors.ts';
import type { Clock, EventLog, LogBatch, PackageFile, PackageStore } from '../domain/ports.ts';
import type { Query, Transaction } from '../domain/query.ts';
import { keepClientAttributes, readClientAttributes } from './client-attributes.ts';
import { Credentials } from './credentials.ts';
import type { Device } from './credentials.ts';
import { isObject, readJson } from './device-json.ts';
import type { JsonObject } from './device-json.ts';
import { Downloads } from './downloads.ts';
import type { Wanted } from './downloads.ts';
import { LastSeen } from './last-seen.ts';
import { LongPolls } from './long-polls.ts';
import { Offers } from './offers.ts';
import type { Offer } from './offers.ts';
import { Packages } from './packages.ts';
import { commitReports } from './reports.ts';
import type { DeviceReport } from './reports.ts';
import type { SharedAttributes } from './shared-attributes.ts';
import { SlotReader } from './slot-reader.ts';
import { attributeReports, telemetryReports } from './telemetry.ts';
import type { Reports } from './telemetry.ts';
import { Unwritten } from './unwritten.ts';

/** Commits together what many add at one moment (adapters/group-commit.ts). */
export interface GroupCommit<Item, Result> extends AsyncDisposable {
  /** Resolves once the item is committed. @throws UnavailableError */
  add(item: Item): Promise<Result>;
}

export interface GroupCommitActs<Item, Result> {
  readonly key: (item: Item) => string;
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
}

export interface DeviceApiParts {
  /** Single statements. */
  readonly query: Query;
  /** Transactions that change updates. */
  readonly transaction: Transaction;
  readonly groupCommit: <Item, Result>(acts: GroupCommitActs<Item, Result>) => GroupCommit<Item, Result>;
  readonly log: Pick<EventLog, 'listen'>;
  readonly store: Pick<PackageStore, 'open' | 'read'>;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

export interface DeviceAttributes {
  readonly client: JsonObject;
  readonly shared: SharedAttributes;
  /** To be called once the answer is on its way. */
  delivered(): void;
}

/** Which attributes: undefined for all of that kind, empty for none. */
export interface AttributeKeys {
  readonly client: readonly string[] | undefined;
  readonly shared: readonly string[] | undefined;
}

const NO_REPORTS: Reports = new Map();

export class DeviceApi implements AsyncDisposable {
  readonly #parts: DeviceApiParts;
  readonly #credentials: Credentials;
  readonly #packages: Packages;
  readonly #offers: Offers;
  readonly #downloads: Downloads;
  readonly #longPolls: LongPolls;
  readonly #lastSeen: LastSeen;
  readonly #unwritten: Unwritten;
  readonly #reports: GroupCommit<DeviceReport, boolean>;
  readonly #unlisten: () => void;
  readonly #flushTimer: NodeJS.Timeout;
  #flushing: Promise<void> | undefined;

  constructor(parts: DeviceApiParts) {
    const { query, transaction, clock, limits } = parts;
    this.#parts = parts;
    const unwritten = new Unwritten(limits);
    const slots = new SlotReader(query, limits);
    this.#credentials = new Credentials(query, limits);
    this.#packages = new Packages(query, slots, limits);
    this.#longPolls = new LongPolls(limits);
    this.#lastSeen = new LastSeen(query, clock, limits);
    this.#unwritten = unwritten;
    this.#downloads = new Downloads(this.#packages, parts.store, unwritten);
    this.#offers = new Offers({
      slots,
      packages: this.#packages,
      unwritten,
      longPolls: this.#longPolls,
      credentials: this.#credentials,
      clock,
      offerRepeatMs: limits.offerRepeatMs,
    });
    this.#reports = parts.groupCommit({
      key: ({ deviceId }) => deviceId,
      commit: (batch) => commitReports(transaction, unwritten, batch, new Date(clock.now())),
    });
    this.#unlisten = parts.log.listen((batch) => this.#heed(batch));
    this.#flushTimer = setInterval(() => void this.#flush(), limits.flushIntervalMs);
  }

  /** Who has this access token; a sign of life. @throws UnauthenticatedError */
  async authenticate(accessToken: string): Promise<Device> {
    const device = await this.#credentials.authenticate(accessToken);
    if (device === null) throw new UnauthenticatedError('The access token is not valid.');
    this.#lastSeen.note(device);
    return device;
  }

  /** @param text JSON. @throws ValidationError, UnavailableError, UnauthenticatedError */
  async postTelemetry(device: Device, text: string): Promise<void> {
    await this.#report(
      device,
      this.#understand(device, () => telemetryReports(readJson(text), this.#parts.limits)),
    );
  }

  /**
   * Keeps attributes that the device posts about itself; what they say of its updates counts as in telemetry.
   * @param text JSON
   * @throws ValidationError, TooLargeError, UnavailableError, UnauthenticatedError
   */
  async postAttributes(device: Device, text: string): Promise<void> {
    const { query, limits } = this.#parts;
    const { values, reports } = this.#understand(device, () => {
      const json = readJson(text);
      if (!isObject(json)) throw new ValidationError('Attributes are an object.');
      return { values: json, reports: attributeReports(json, limits) };
    });
    // Refused here, nothing is reported. Should the report fail after it, the device posts both again, which changes nothing.
    await keepClientAttributes(query, device.id, values, limits.clientAttributesBytesMax);
    await this.#report(device, reports);
  }

  /** @throws UnauthenticatedError */
  async attributes(device: Device, keys: AttributeKeys): Promise<DeviceAttributes> {
    const [client, shown] = await Promise.all([
      keys.client?.length === 0 ? {} : readClientAttributes(this.#parts.query, device.id, keys.client),
      keys.shared?.length === 0 ? null : this.#offers.shown(device, keys.shared && new Set(keys.shared)),
    ]);
    return { client, shared: shown?.values ?? {}, delivered: () => shown?.delivered() };
  }

  /**
   * What the device is to hear, waiting for it. Empty after the time.
   * @throws UnauthenticatedError, UnavailableError
   */
  async awaitOffers(device: Device, timeoutMs: number, signal: AbortSignal): Promise<Offer[]> {
    return this.#offers.next(device, timeoutMs, signal);
  }

  /** @throws NotFoundError where no package with bytes is effective; ValidationError where it is another one */
  async download(device: Device, type: PackageType, wanted: Wanted): Promise<PackageFile> {
    return this.#downloads.of(device, type, wanted);
  }

  /** Long polls end at once, with nothing to say, and no new one waits: before the listener drains. */
  endLongPolls(): void {
    this.#longPolls[Symbol.dispose]();
  }

  /** Long polls end, what was added is committed, what is unwritten is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#flushTimer);
    this.#unlisten();
    this.#longPolls[Symbol.dispose]();
    // The first may have begun before the last bytes went out.
    await this.#flush();
    await this.#flush();
    await this.#reports[Symbol.asyncDispose]();
  }

  /** What cannot be understood is refused and logged, so that an operator can see which device speaks so. */
  #understand<R>({ id, tenantId }: Device, act: () => R): R {
    try {
      return act();
    } catch (error) {
      if (error instanceof ValidationError) {
        this.#parts.logger.info({ deviceId: id, tenantId, why: error.message }, 'a device was not understood');
      }
      throw error;
    }
  }

  async #report({ id }: Device, reports: Reports): Promise<void> {
    if (reports.size === 0) return;
    if (!(await this.#reports.add({ deviceId: id, reports }))) throw new UnauthenticatedError('The device is gone.');
  }

  #heed(batch: LogBatch): void {
    this.#credentials.forget(batch);
    this.#packages.forget(batch);
    this.#longPolls.wake(batch);
  }

  /** Writes what is unwritten; what fails is written at the next flush. One at a time: a second call waits for the first. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#writeAll()
      .catch((error: unknown) =>
        this.#parts.logger.warn({ err: error }, 'what devices fetched and read could not be written; trying again'),
      )
      .finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async #writeAll(): Promise<void> {
    const { reportBatchMax } = this.#parts.limits;
    const devices = this.#unwritten.devices();
    for (let i = 0; i < devices.length; i += reportBatchMax) {
      const batch = devices.slice(i, i + reportBatchMax);
      // Through the same gate as reports, so that a device's slots are in one transaction of ours at a time.
      await Promise.all(batch.map((deviceId) => this.#reports.add({ deviceId, reports: NO_REPORTS })));
    }
    await this.#lastSeen.flush();
  }
}
