/** A small client of the management API, as strict as a real one: over HTTP, as multipart, and over WebSocket. */
import { createClient } from 'graphql-ws';
import type { Client } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface GraphqlAnswer {
  readonly data?: Record<string, any> | null;
  readonly errors?: readonly GraphqlRefusal[];
}

export interface GraphqlRefusal {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string; readonly reference?: string };
}

export class GraphqlClient {
  readonly url: string;
  readonly token: string | null;

  /** @param url the server's, without a path */
  constructor(url: string, token: string | null = null) {
    this.url = url;
    this.token = token;
  }

  /** The same client for whoever holds the token. */
  as(token: string | null): GraphqlClient {
    return new GraphqlClient(this.url, token);
  }

  /** @returns one signed in */
  async login(email: string, password: string): Promise<GraphqlClient> {
    const session = await this.act(LOGIN, { email, password });
    if (session.__typename !== 'Session') throw new Error(`${session.code}: ${session.message}`);
    return this.as(session.token);
  }

  /** Whatever is answered, errors and all. */
  async send(query: string, variables: Record<string, unknown> = {}): Promise<GraphqlAnswer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.headers() },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphqlAnswer;
  }

  /** The data; throws where there are errors. */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Record<string, any>> {
    return dataOf(await this.send(query, variables));
  }

  /** What the one field of a mutation answers: its result, or a refusal. */
  async act(query: string, variables: Record<string, unknown> = {}): Promise<Record<string, any>> {
    return firstOf(await this.ask(query, variables));
  }

  /** Sends `variables.input.file`. */
  async upload(
    query: string,
    variables: { readonly input: Record<string, unknown> },
    file: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer>; readonly type?: string },
    headers: Record<string, string> = { 'graphql-require-preflight': '1' },
  ): Promise<Response> {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query, variables: { input: { ...variables.input, file: null } } }));
    form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
    form.set('0', new File([file.bytes], file.name, { type: file.type ?? 'application/octet-stream' }));
    return fetch(`${this.url}/graphql`, { method: 'POST', headers: { ...this.headers(), ...headers }, body: form });
  }

  /** The package that an upload made, or why not. */
  async uploaded(...sent: Parameters<GraphqlClient['upload']>): Promise<Record<string, any>> {
    const response = await this.upload(...sent);
    return firstOf(dataOf((await response.json()) as GraphqlAnswer));
  }

  headers(): Record<string, string> {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` };
  }

  socket(): Client {
    return createClient({
      url: `${this.url.replace(/^http/, 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: 0,
      ...(this.token === null ? {} : { connectionParams: { authorization: `Bearer ${this.token}` } }),
      onNonLazyError: () => {},
    });
  }
}

const LOGIN = `mutation Login($email: String!, $password: String!) {
  login(input: { email: $email, password: $password }) {
    __typename
    ... on Session { token }
    ... on Error { code message }
  }
}`;

export function dataOf({ data, errors }: GraphqlAnswer): Record<string, any> {
  if (errors !== undefined) throw new Error(`GraphQL: ${JSON.stringify(errors)}`);
  return data ?? {};
}

export function firstOf(data: Record<string, any>): Record<string, any> {
  return Object.values(data)[0];
}

/** The code of the first error of an answer. */
export function codeOf({ errors }: GraphqlAnswer): string | undefined {
  return errors?.[0]?.extensions?.code;
}
