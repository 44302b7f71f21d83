/** Says what a device has to say until the server acknowledges it, and keeps what was acknowledged. */
import type { Backoff } from './backoff.ts';
import { wrappingOf } from './habits.ts';
import type { Wrapping } from './habits.ts';
import type { ReportedState } from './installation.ts';
import type { Running } from './offer.ts';
import { PREFIX } from './transport.ts';
import type { PackageType } from './transport.ts';

/** A report that the server has acknowledged. */
export interface Report {
  readonly type: PackageType;
  /** Null in the one at power-on, which says only what runs. */
  readonly state: ReportedState | null;
  readonly error: string | null;
  readonly current: Running;
  /** When the acknowledgement came. */
  readonly at: Date;
}

/** The oldest are dropped: one device says six to seven an update. */
const REPORTS_KEPT_MAX = 10_000;

export class Reporter {
  readonly #backoff: Backoff;
  readonly #wrap: Wrapping;
  readonly #acknowledged: (report: Report) => void;
  readonly #reports: Report[] = [];

  constructor(backoff: Backoff, seed: number, index: number, acknowledged: (report: Report) => void) {
    this.#backoff = backoff;
    this.#wrap = wrappingOf(seed, index);
    this.#acknowledged = acknowledged;
  }

  /** Acknowledged, oldest first. */
  get reports(): readonly Report[] {
    return this.#reports;
  }

  /** What runs, of all types in one message. */
  async reportCurrent(running: ReadonlyMap<PackageType, Running>, signal: AbortSignal): Promise<void> {
    const values = [...running].flatMap(([type, current]) => Object.entries(currentValues(type, current)));
    await this.#post(Object.fromEntries(values), signal);
    for (const [type, current] of running) this.#keep({ type, state: null, error: null, current, at: new Date() });
  }

  /** As the sample client: the state always comes with what runs. */
  async reportState(said: Omit<Report, 'at'>, signal: AbortSignal): Promise<void> {
    const prefix = PREFIX[said.type];
    const words = said.error === null ? {} : { [`${prefix}_error`]: said.error };
    await this.#post({ ...currentValues(said.type, said.current), [`${prefix}_state`]: said.state, ...words }, signal);
    this.#keep({ ...said, at: new Date() });
  }

  async #post(values: object, signal: AbortSignal): Promise<void> {
    const telemetry = this.#wrap(values);
    await this.#backoff.untilAnswered(signal, (to) => to.postTelemetry(telemetry, signal));
  }

  #keep(report: Report): void {
    this.#reports.push(report);
    if (this.#reports.length > REPORTS_KEPT_MAX) this.#reports.shift();
    this.#acknowledged(report);
  }
}

function currentValues(type: PackageType, { title, version }: Running): object {
  return { [`current_${PREFIX[type]}_title`]: title, [`current_${PREFIX[type]}_version`]: version };
}
