/** The way to the server: questions over HTTP, subscriptions over one WebSocket. */
import { Client, createRequest, fetchExchange, mapExchange, stringifyDocument } from '@urql/core';
import type { AnyVariables, TypedDocumentNode } from '@urql/core';
import { CloseCode, createClient } from 'graphql-ws';
import { createEffect } from 'solid-js';
import { setServerTime } from './clock.ts';
import { Connection } from './connection.ts';
import { Refusal, refusalOf, refusalOfRequest } from './refusal.ts';
import type { SessionKeeper } from './session.ts';

const ENDPOINT = '/graphql';
const ANSWER_TIMEOUT_MS = 15_000;
/** From the first knock to the server's welcome. */
const DIAL_TIMEOUT_MS = 10_000;
/** A connection that carries nothing is probed this often, and is given up when the probe is not answered. */
const PROBE_EVERY_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000;
/** Between one subscription's end and the next one's beginning the socket stays open. */
const IDLE_CLOSE_MS = 3_000;

const SESSION_ENDED = 'Your session has ended. Sign in again to go on where you were.';

export interface Server {
  readonly client: Client;
  readonly connection: Connection;
  /** @throws Refusal */
  ask<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data>;
  /** Ends when the server ends it or the signal aborts. @throws Refusal */
  follow<Data, Variables extends AnyVariables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    signal: AbortSignal,
  ): AsyncGenerator<Data, void>;
  /** Ends the wait for the next attempt, or an attempt that is stuck. */
  tryNow(): void;
}

/** To be called below a root of Solid's. */
export function createServer(session: SessionKeeper): Server {
  const connection = new Connection();
  const authorization = (): Record<string, string> => {
    const token = session.current()?.token;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  };
  const endIfUnauthenticated = (refusal: Refusal): Refusal => {
    if (refusal.code === 'UNAUTHENTICATED') session.end(SESSION_ENDED);
    return refusal;
  };

  const client = new Client({
    url: ENDPOINT,
    exchanges: [mapExchange({ onError: (error) => void endIfUnauthenticated(refusalOfRequest(error)) }), fetchExchange],
    preferGetMethod: false,
    fetchOptions: () => ({ headers: authorization() }),
    fetch: fetchInTime,
  });

  let questionCount = 0;
  let dial: ReturnType<typeof setTimeout> | undefined;
  let probe: ReturnType<typeof setTimeout> | undefined;
  const socket = createClient({
    url: new URL(ENDPOINT, location.href.replace(/^http/, 'ws')).href,
    connectionParams: authorization,
    // We try again ourselves, from the last cursor.
    retryAttempts: 0,
    lazyCloseTimeout: IDLE_CLOSE_MS,
    keepAlive: PROBE_EVERY_MS,
    on: {
      connecting: () => {
        clearTimeout(dial);
        dial = setTimeout(() => socket.terminate(), DIAL_TIMEOUT_MS);
      },
      connected: () => {
        clearTimeout(dial);
        connection.opened();
      },
      message: () => connection.heard(),
      ping: (isReceived) => {
        if (!isReceived) probe = setTimeout(() => socket.terminate(), PROBE_TIMEOUT_MS);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(probe);
      },
      closed: (event) => {
        clearTimeout(dial);
        clearTimeout(probe);
        const isDeliberate = (event as CloseEvent).code === NORMAL_CLOSURE;
        if (isDeliberate || session.current() === null) connection.idle();
        else connection.lost();
      },
    },
  });

  // It was opened with the rights of whoever was signed in.
  createEffect(() => {
    if (session.current() === null) socket.terminate();
  });

  return {
    client,
    connection,
    async ask(document, variables) {
      // Under a key of its own: urql answers two equal questions at once by one answer, which is then older than the second question.
      questionCount += 1;
      const request = { ...createRequest(document, variables), key: -questionCount };
      const { data, error } = await client.executeQuery(request).toPromise();
      if (error) throw refusalOfRequest(error);
      if (data === undefined) throw new Refusal('INTERNAL', 'The server answered without data.');
      return data;
    },
    async *follow<Data, Variables extends AnyVariables>(
      document: TypedDocumentNode<Data, Variables>,
      variables: Variables,
      signal: AbortSignal,
    ): AsyncGenerator<Data, void> {
      const answers = socket.iterate<Data>({ query: stringifyDocument(document), variables: { ...variables } });
      const leave = (): void => void answers.return?.();
      signal.addEventListener('abort', leave, { once: true });
      try {
        for await (const { data, errors } of answers) {
          if (errors?.[0]) throw refusalOf(errors[0]);
          if (data) yield data;
        }
      } catch (reason) {
        throw endIfUnauthenticated(refusalOfSubscription(reason));
      } finally {
        signal.removeEventListener('abort', leave);
        leave();
      }
    },
    tryNow() {
      if (!connection.tryNow() && !connection.isLive) socket.terminate();
    },
  };
}

const NORMAL_CLOSURE = 1000;

/** graphql-ws throws what the server ended a subscription by, else what became of the socket. */
function refusalOfSubscription(reason: unknown): Refusal {
  if (reason instanceof Refusal) return reason;
  if (Array.isArray(reason)) return refusalOf(reason[0] as Parameters<typeof refusalOf>[0]);
  if ((reason as Partial<CloseEvent> | null)?.code === CloseCode.Forbidden) {
    return new Refusal('UNAUTHENTICATED', SESSION_ENDED);
  }
  return new Refusal('UNREACHABLE', 'The connection was lost.');
}

async function fetchInTime(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const limits = [AbortSignal.timeout(ANSWER_TIMEOUT_MS), ...(init.signal ? [init.signal] : [])];
  const response = await fetch(input, { ...init, signal: AbortSignal.any(limits) });
  setServerTime(response.headers.get('date'));
  return response;
}
