/** The ways in which a device may fail: each strikes at one step of an installation and has the device's own words. */
import type { Random } from './random.ts';

/** What the words may speak of. */
export interface Circumstances {
  /** Bytes. */
  readonly size: number | null;
  readonly chunk: number;
  readonly chunks: number | null;
  readonly running: string;
}

export interface Failure {
  /** The step that it strikes before: a report, or the fetching of a chunk. */
  readonly before: 'DOWNLOADING' | 'CHUNK' | 'UPDATING' | 'UPDATED';
  /** Null where a bit of the chunk is flipped: the checksum will tell, and the device finds the words itself. */
  readonly words: ((at: Circumstances, random: Random) => string) | null;
}

const LOW_BATTERY: Failure = {
  before: 'DOWNLOADING',
  words: (_, random) => `Battery at ${random.integer(4, 28)} %, at least 30 % needed`,
};

const NOT_ENOUGH_FLASH: Failure = {
  before: 'CHUNK',
  words: ({ size }, random) =>
    size === null
      ? 'Not enough flash: partition ota_1 is full'
      : `Not enough flash: image has ${size} bytes, partition ota_1 ${Math.floor(size * (0.5 + random.fraction() / 2.1))}`,
};

const LINK_LOST: Failure = {
  before: 'CHUNK',
  words: ({ chunk, chunks }) => `Radio link lost at chunk ${chunk}${chunks === null ? '' : ` of ${chunks}`}, gave up`,
};

const CORRUPT_CHUNK: Failure = { before: 'CHUNK', words: null };

const IMAGE_INVALID: Failure = {
  before: 'UPDATING',
  words: () => 'esp_ota_end failed: ESP_ERR_OTA_VALIDATE_FAILED (0x1503)',
};

const ROLLED_BACK: Failure = {
  before: 'UPDATED',
  words: ({ running }) => `New image did not confirm itself in 3 boots, rolled back to ${running}`,
};

export function drawFailure(random: Random): Failure {
  return random.pick([LOW_BATTERY, NOT_ENOUGH_FLASH, LINK_LOST, CORRUPT_CHUNK, IMAGE_INVALID, ROLLED_BACK]);
}
