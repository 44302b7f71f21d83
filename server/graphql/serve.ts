/** The management API on a server: GraphQL over HTTP and over WebSocket. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Services } from './context.ts';
import { Operations } from './operations.ts';
import { overHttp } from './over-http.ts';
import { overWebSocket } from './over-websocket.ts';

export type { Services } from './context.ts';

export interface Graphql {
  /** Answers a request to `/graphql`. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Accepts WebSockets at `/graphql`; disposing it closes them. */
  attach(server: Server): AsyncDisposable;
}

export function createGraphql(services: Services): Graphql {
  const operations = new Operations(services);
  return { handle: overHttp(operations), attach: (server) => overWebSocket(operations, server) };
}
