/**
 * The states of an update, and what a device's words do to it.
 *
 * An update waits as QUEUED until the pace lets the device be told: INITIATED. From there the device moves it: DOWNLOADING,
 * DOWNLOADED, VERIFIED, UPDATING, and UPDATED or FAILED at the end. Devices repeat, skip and reorder their reports, restart in
 * the middle, boot with the old version, and report late what is no longer meant. So states may be skipped but not regress, with
 * one exception: DOWNLOADING again after the download means that the device starts over. What ended stays ended; a device that
 * starts again opens the next attempt, a new update. CANCELED is ours: superseded, unassigned, or canceled by an operator.
 *
 * The one proof of success is the device's own version: a step that carries the target's title and version is a match,
 * and ends the update whatever else it says.
 */
import type { UpdateResult, UpdateState } from '../../prisma/client/enums.ts';

/** In their order, as lists and counters show them. */
export const UPDATE_STATES = [
  'NONE',
  'QUEUED',
  'INITIATED',
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
  'UPDATED',
  'FAILED',
  'CANCELED',
] as const satisfies readonly UpdateState[];

/** States in which the device has been told and has not finished. */
const IN_FLIGHT: ReadonlySet<UpdateState> = new Set(['INITIATED', 'DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING']);

export function isInFlight(state: UpdateState): boolean {
  return IN_FLIGHT.has(state);
}

export function isOpen(state: UpdateState): boolean {
  return state === 'QUEUED' || IN_FLIGHT.has(state);
}

/** What one step of a device's message comes to, once its version has been held against the target. */
export const REPORTS = [
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
  /** UPDATED, and no version with it. */
  'UPDATED',
  /** UPDATED, with another version than the target's. */
  'UPDATED_OTHER',
  'FAILED',
  /** Another version than the target's, and no state. */
  'OTHER',
  /** The target's title and version, whatever else is said. */
  'MATCH',
] as const;

export type Report = (typeof REPORTS)[number];

/** Where an update stands, as far as reports can tell. */
export type Standing =
  | 'NOTHING_EFFECTIVE'
  | 'QUEUED'
  | 'INITIATED'
  | 'DOWNLOADING'
  | 'DOWNLOADED'
  | 'VERIFIED'
  | 'UPDATING'
  | 'UPDATED'
  /** FAILED by the device's word, or INTERRUPTED. */
  | 'FAILED'
  | 'TIMED_OUT'
  /** CANCELED by an operator. */
  | 'CANCELED';

export type Outcome =
  /** No event, but a sign of life. */
  | { readonly kind: 'SIGN_OF_LIFE' }
  /** As before, but the device has missed what it was offered. */
  | { readonly kind: 'OFFER_AGAIN' }
  /** The update moves on, or ends. */
  | { readonly kind: 'MOVE'; readonly state: UpdateState; readonly result: UpdateResult | null }
  /** A new update of the same assignment, which begins in this state. */
  | { readonly kind: 'NEXT_ATTEMPT'; readonly state: UpdateState; readonly result: UpdateResult | null };

const SIGN_OF_LIFE: Outcome = { kind: 'SIGN_OF_LIFE' };
const OFFER_AGAIN: Outcome = { kind: 'OFFER_AGAIN' };

function move(state: UpdateState, result: UpdateResult | null = null): Outcome {
  return { kind: 'MOVE', state, result };
}

function nextAttempt(state: UpdateState, result: UpdateResult | null = null): Outcome {
  return { kind: 'NEXT_ATTEMPT', state, result };
}

const UPDATED = move('UPDATED', 'SUCCEEDED');
const FAILED = move('FAILED', 'DEVICE_FAILED');
const INTERRUPTED = move('FAILED', 'INTERRUPTED');
const ALREADY_CURRENT = move('UPDATED', 'ALREADY_CURRENT');
/** The device finished the former package first: this one is still to come. */
const BACK = move('INITIATED');

/** Columns in the order of REPORTS. */
type Row = readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome, Outcome, Outcome, Outcome];

function row(...cells: Row): Row {
  return cells;
}

const __ = SIGN_OF_LIFE;
const START = move('DOWNLOADING');
const LOADED = move('DOWNLOADED');
const CHECKED = move('VERIFIED');
const APPLYING = move('UPDATING');
const AGAIN = nextAttempt('DOWNLOADING');
const PROVED = nextAttempt('UPDATED', 'SUCCEEDED');

/** The transition table. What depends on more than standing and report is in `outcomeOf`; everything else is here. */
// oxfmt-ignore
const TRANSITIONS: Readonly<Record<Standing, Row>> = {
  //                     DOWNLOADING DOWNLOADED VERIFIED  UPDATING   UPDATED  UPDATED_OTHER FAILED OTHER MATCH
  NOTHING_EFFECTIVE: row(__,         __,        __,       __,        __,      __,           __,    __,   __),
  QUEUED:            row(START,      __,        __,       __,        __,      __,           __,    __,   ALREADY_CURRENT),
  INITIATED:         row(START,      LOADED,    CHECKED,  APPLYING,  UPDATED, OFFER_AGAIN,  FAILED, __,  UPDATED),
  DOWNLOADING:       row(__,         LOADED,    CHECKED,  APPLYING,  UPDATED, INTERRUPTED,  FAILED, __,  UPDATED),
  DOWNLOADED:        row(START,      __,        CHECKED,  APPLYING,  UPDATED, INTERRUPTED,  FAILED, __,  UPDATED),
  VERIFIED:          row(START,      __,        __,       APPLYING,  UPDATED, INTERRUPTED,  FAILED, __,  UPDATED),
  // A device that boots with the old version may yet boot with the new one: the time limit decides.
  UPDATING:          row(START,      __,        __,       __,        UPDATED, INTERRUPTED,  FAILED, __,  UPDATED),
  // Another version later is drift: explained, not undone.
  UPDATED:           row(AGAIN,      __,        __,       __,        __,      __,           __,    __,   __),
  FAILED:            row(AGAIN,      __,        __,       __,        __,      __,           __,    __,   PROVED),
  TIMED_OUT:         row(AGAIN,      nextAttempt('DOWNLOADED'), nextAttempt('VERIFIED'), nextAttempt('UPDATING'), PROVED, __, __, __, PROVED),
  CANCELED:          row(__,         __,        __,       __,        __,      __,           __,    __,   PROVED),
};

/** What else must be known of an update to say what a report does to it. */
export interface Circumstances {
  /** It superseded an update of which the device knew, and the device has not shown yet that it means this one. */
  readonly deaf: boolean;
  /** An operator sent it again: the device is to install it though it runs this very version. */
  readonly resent: boolean;
  /** The step carries a state word beside the version. */
  readonly saysDownloading: boolean;
  /** The other version is that of the package which this update took over from. */
  readonly otherIsFormer: boolean;
  /** The device reports to run the target. */
  readonly isCurrent: boolean;
  /** Bytes of the package went to the device. */
  readonly served: boolean;
}

/** What `report` does to an update that stands at `standing`. Pure. */
export function outcomeOf(standing: Standing, report: Report, its: Circumstances): Outcome {
  const starting = standing === 'QUEUED' || standing === 'INITIATED';
  if (its.deaf && starting && !isHeardWhileDeaf(standing, report)) return SIGN_OF_LIFE;
  if (its.resent && starting && report === 'MATCH') return its.saysDownloading ? START : SIGN_OF_LIFE;

  const outcome = TRANSITIONS[standing][REPORTS.indexOf(report)] ?? SIGN_OF_LIFE;
  if (outcome === INTERRUPTED && its.otherIsFormer) return BACK;
  if (outcome === ALREADY_CURRENT && its.served) return UPDATED;
  if (outcome === AGAIN && standing === 'UPDATED' && its.isCurrent) return SIGN_OF_LIFE;
  return outcome;
}

/** A report for the former package must not move this one: only the proof counts, and a start once the device has been told. */
function isHeardWhileDeaf(standing: Standing, report: Report): boolean {
  if (report === 'MATCH') return true;
  return standing === 'INITIATED' && (report === 'DOWNLOADING' || report === 'UPDATED_OTHER');
}
