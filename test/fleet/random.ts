/**
 * Seeded randomness. Whatever a device decides by chance comes from a stream named by the seed and what is decided, so
 * that a run can be repeated: what depends on timing (retries, pushes) never shifts the draws of something else.
 */

export interface Random {
  /** From 0 (inclusive) to 1 (exclusive). */
  fraction(): number;
  /** A whole number from `min` to `max`, both inclusive. */
  integer(min: number, max: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  pick<const T>(choices: readonly [T, ...T[]]): T;
}

/** `names` tells one stream from another, such as the device's index, the package type and the attempt. */
export function randomOf(seed: number, ...names: readonly (number | string)[]): Random {
  let state = xmur3([seed, ...names].join('/'));
  const fraction = (): number => {
    // mulberry32, by Tommy Ettinger, public domain: 32 bits of state, passes gjrand; as listed in
    // github.com/bryc/code, PRNGs.md.
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    fraction,
    integer: (min, max) => min + Math.floor(fraction() * (max - min + 1)),
    chance: (probability) => fraction() < probability,
    pick: (choices) => choices[Math.floor(fraction() * choices.length)] ?? choices[0],
  };
}

/** Spreads a name over 32 bits: the mixing of MurmurHash3, as xmur3 in the same list. */
function xmur3(name: string): number {
  let h = 1779033703 ^ name.length;
  for (let i = 0; i < name.length; i += 1) {
    h = Math.imul(h ^ name.charCodeAt(i), 3432918353);
    h = (h << 13) | (h >>> 19);
  }
  h = Math.imul(h ^ (h >>> 16), 2246822507);
  h = Math.imul(h ^ (h >>> 13), 3266489909);
  return (h ^ (h >>> 16)) | 0;
}
