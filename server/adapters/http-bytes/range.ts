/** One range of bytes as a request asks for it (RFC 9110, section 14). Pure. */
import type { ByteRange } from '../../domain/ports.ts';

export type AskedRange =
  | { readonly kind: 'WHOLE' }
  | { readonly kind: 'PART'; readonly range: ByteRange }
  | { readonly kind: 'UNSATISFIABLE' };

export const WHOLE: AskedRange = { kind: 'WHOLE' };

/** A range that does not parse, another unit and several ranges at once are passed over, as the RFC allows: the answer is whole. */
export function rangeOf(header: string | undefined, size: number): AskedRange {
  const [, first, last] = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE;
  if (first === '') return partOf(Math.max(0, size - Number(last)), size, size);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  // Before the beginning of the range lies no end: invalid, not unsatisfiable.
  if (last !== '' && Number(last) < Number(first)) return WHOLE;
  return partOf(Number(first), end, size);
}

function partOf(start: number, end: number, size: number): AskedRange {
  return start < size && start < end ? { kind: 'PART', range: { start, end } } : { kind: 'UNSATISFIABLE' };
}
