import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { Refusal } from './refusal.ts';
import type { Server } from './server.ts';

export interface Listener<Data> {
  next(data: Data): void;
  /** It ended, and begins again. @param refusal null where only the connection was lost, or the server stops */
  interrupted?(refusal: Refusal | null): void;
}

/** Follows a subscription and, whenever it ends, follows it again: with the variables of that moment, until the signal aborts. */
export async function keepFollowing<Data, Variables extends AnyVariables>(
  server: Server,
  document: TypedDocumentNode<Data, Variables>,
  variables: () => Variables,
  signal: AbortSignal,
  listener: Listener<Data>,
): Promise<void> {
  while (!signal.aborted) {
    const refusal = await followOnce(server, document, variables(), signal, listener);
    if (signal.aborted || refusal?.code === 'UNAUTHENTICATED') return;
    // These two are asked to come again at once, the one from its cursor, the other without.
    if (refusal?.code !== 'SLOW_CONSUMER' && refusal?.code !== 'CURSOR_EXPIRED') await server.connection.again();
    if (!signal.aborted) listener.interrupted?.(refusal);
  }
}

async function followOnce<Data, Variables extends AnyVariables>(
  server: Server,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  signal: AbortSignal,
  listener: Listener<Data>,
): Promise<Refusal | null> {
  try {
    for await (const data of server.follow(document, variables, signal)) {
      if (!signal.aborted) listener.next(data);
    }
    return null;
  } catch (reason) {
    if (reason instanceof Refusal) return reason.code === 'UNREACHABLE' ? null : reason;
    throw reason;
  }
}
