import type { WriteStream } from 'node:tty';
import type { Summary } from './fleet.ts';

const REDRAW_MS = 200;
const LINE_MS = 1_000;

/** Shows how the fleet stands: one line redrawn on a terminal, a line a second elsewhere. */
export class Progress implements Disposable {
  readonly #out: WriteStream;
  readonly #summary: () => Summary;
  readonly #timer: NodeJS.Timeout;

  constructor(out: WriteStream, summary: () => Summary) {
    this.#out = out;
    this.#summary = summary;
    this.#timer = setInterval(() => this.draw(), out.isTTY ? REDRAW_MS : LINE_MS);
  }

  /** Leaves the last line standing. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#out.isTTY) this.#out.write('\n');
  }

  draw(): void {
    const line = progressLine(this.#summary());
    this.#out.write(this.#out.isTTY ? `\r\x1b[K${line.slice(0, this.#out.columns - 1)}` : `${line}\n`);
  }
}

export function progressLine({ deviceCount, standings, refused, ...sums }: Summary): string {
  const counts = Object.entries(standings).filter(([, count]) => count > 0);
  const megabytes = (sums.bytesFetched / 1e6).toFixed(1);
  return [
    `${deviceCount} devices`,
    ...counts.map(([standing, count]) => `${count} ${standing}`),
    ...(refused.length > 0 ? [`${refused.length} refused`] : []),
    `${megabytes} MB fetched`,
    `${sums.reportsAcknowledged} reports`,
    ...(sums.triesFailed > 0 ? [`${sums.triesFailed} tries failed`] : []),
  ].join(' · ');
}
