/** The one rule for short texts that people give: names, titles, versions, tags, file names. */
import { ValidationError } from './errors.ts';

export const SHORT_TEXT_CHARACTERS_MAX = 255;

// C0 and C1 controls, line and paragraph separators, and lone surrogates, which no UTF-8 can carry.
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u;

/**
 * @param what names the text in the refusal, for example "The title"
 * @returns the text without blanks around it
 * @throws ValidationError where it is blank, too long or holds control characters
 */
export function shortText(what: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new ValidationError(`${what} must not be blank.`);
  if ([...trimmed].length > SHORT_TEXT_CHARACTERS_MAX) {
    throw new ValidationError(`${what} must have at most ${SHORT_TEXT_CHARACTERS_MAX} characters.`);
  }
  if (FORBIDDEN.test(trimmed)) throw new ValidationError(`${what} must not hold control characters.`);
  return trimmed;
}
