/** Why the server did not do what it was asked: it refused by a rule, it broke, or it could not be reached. */
import type { CombinedError } from '@urql/core';
import type { ErrorCode } from './graphql.ts';

/** INTERNAL: a defect, of which only a reference is told. UNREACHABLE: no answer. */
export type RefusalCode = ErrorCode | 'INTERNAL' | 'UNREACHABLE';

export class Refusal extends Error {
  readonly code: RefusalCode;
  /** Under which the server's log says more. */
  readonly reference: string | null;

  constructor(code: RefusalCode, message: string, reference: string | null = null) {
    super(message);
    this.code = code;
    this.reference = reference;
  }
}

/** An error of an answer, as GraphQL writes it. */
interface AnswerError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

export function refusalOf({ message, extensions = {} }: AnswerError): Refusal {
  const { code, reference } = extensions;
  return new Refusal(
    typeof code === 'string' ? (code as RefusalCode) : 'INTERNAL',
    message,
    typeof reference === 'string' ? reference : null,
  );
}

export function refusalOfRequest({ graphQLErrors: [first] }: CombinedError): Refusal {
  return first ? refusalOf(first) : new Refusal('UNREACHABLE', 'The server does not answer.');
}
