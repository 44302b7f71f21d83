/** Numbers, sizes and times as people read them. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

const LOCALE = 'en-GB';
const THIN_SPACE = '\u2009';
const NO_BREAK = '\u00a0';

const WHOLE = new Intl.NumberFormat(LOCALE);
const SHARE_TWO_DIGITS = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 2 });
const EXACT = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeStyle: 'medium' });
const DAY_OF_YEAR = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'long' });
const DAY_OF_ANY_YEAR = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'long', year: 'numeric' });
const TIME_OF_DAY = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' });

export const TIME_ZONE = EXACT.resolvedOptions().timeZone;

/** 1,234 */
export function whole(count: number): string {
  return WHOLE.format(count);
}

/** "1 device", "1,234 devices" */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** "7.4 %": two digits, and never 0 or 100 for what is not. */
export function share(count: number, of: number): string {
  if (of === 0) return '';
  const percent = (100 * count) / of;
  if (count > 0 && percent < 0.1) return `under${NO_BREAK}0.1${THIN_SPACE}%`;
  if (count < of && percent > 99) return `over${NO_BREAK}99${THIN_SPACE}%`;
  return `${SHARE_TWO_DIGITS.format(percent)}${THIN_SPACE}%`;
}

const UNITS = [
  { name: 'GB', bytes: 1e9 },
  { name: 'MB', bytes: 1e6 },
  { name: 'KB', bytes: 1e3 },
] as const;

/** "8.4 MB"; MB are 10⁶. */
export function size(bytes: number): string {
  const { name, divisor } = unitOf(bytes);
  return `${inUnit(bytes, divisor)} ${name}`;
}

/** "7.2 of 8.4 MB", in the unit of the whole. */
export function sizeOf(part: number, total: number): string {
  const { name, divisor } = unitOf(total);
  return `${inUnit(part, divisor)} of ${inUnit(total, divisor)} ${name}`;
}

function unitOf(bytes: number): { name: string; divisor: number } {
  const unit = UNITS.find((candidate) => bytes >= candidate.bytes);
  return unit ? { name: unit.name, divisor: unit.bytes } : { name: bytes === 1 ? 'byte' : 'bytes', divisor: 1 };
}

function inUnit(bytes: number, divisor: number): string {
  // Rounded down: what is not there yet is not shown as there.
  const isWhole = divisor < 1e6 || bytes >= 100 * divisor;
  return isWhole ? whole(Math.floor(bytes / divisor)) : (Math.floor((bytes * 10) / divisor) / 10).toFixed(1);
}

/** "12 s", "3 min 12", "5 h 02", "2 d 4 h" */
export function duration(ms: number): string {
  const [days, hours, minutes, seconds] = [ms / DAY, (ms / HOUR) % 24, (ms / MINUTE) % 60, (ms / SECOND) % 60].map(
    (value) => Math.max(0, Math.floor(value)),
  ) as [number, number, number, number];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${two(minutes)}`;
  if (minutes > 0) return `${minutes} min ${two(seconds)}`;
  return `${seconds} s`;
}

/** "24 min ago", from a day on "12 March". */
export function ago(at: number, now: number): string {
  const ms = now - at;
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s ago`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  return (ms < YEAR / 2 ? DAY_OF_YEAR : DAY_OF_ANY_YEAR).format(at);
}

/** "23 November 2026 at 14:31:52 Europe/Oslo" */
export function exactly(at: number): string {
  return `${EXACT.format(at)} ${TIME_ZONE}`;
}

/** "14:31:52" */
export function timeOfDay(at: number): string {
  return TIME_OF_DAY.format(at);
}

/** "a", "a or b", "a, b or c" */
export function either(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** "a", "a and b", "a, b and c" */
export function all(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
