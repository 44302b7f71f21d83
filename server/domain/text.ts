/** The rules for texts that people give. Short: names, titles, versions, tags, file names. Long: descriptions. */
import { ValidationError } from './errors.ts';

export const SHORT_TEXT_CHARACTERS_MAX = 255;
export const LONG_TEXT_CHARACTERS_MAX = 4_096;

// C0 and C1 controls, line and paragraph separators, and lone surrogates, which no UTF-8 can carry.
const FORBIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/**
 * @param what names the text in the refusal, for example "The title"
 * @returns the text without blanks around it
 * @throws ValidationError where it is blank, too long or holds control characters
 */
export function shortText(what: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new ValidationError(`${what} must not be blank.`);
  if (Array.from(trimmed).length > SHORT_TEXT_CHARACTERS_MAX) {
    throw new ValidationError(`${what} must have at most ${SHORT_TEXT_CHARACTERS_MAX} characters.`);
  }
  if (FORBIDDEN.test(trimmed)) throw new ValidationError(`${what} must not hold control characters.`);
  return trimmed;
}

/**
 * @returns the text without blanks around it; null where nothing is left
 * @throws ValidationError where it is too long or holds control characters but line breaks and tabs
 */
export function longText(what: string, text: string): string | null {
  const trimmed = text.trim();
  if (Array.from(trimmed).length > LONG_TEXT_CHARACTERS_MAX) {
    throw new ValidationError(`${what} must have at most ${LONG_TEXT_CHARACTERS_MAX} characters.`);
  }
  if (FORBIDDEN.test(trimmed.replaceAll(/[\t\r\n\p{Zl}\p{Zp}]/gu, ''))) {
    throw new ValidationError(`${what} must not hold control characters but line breaks and tabs.`);
  }
  return trimmed === '' ? null : trimmed;
}
