/** The management API on a server: GraphQL over HTTP and over WebSocket, and the bytes of packages. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Services } from './context.ts';
import { Operations } from './operations.ts';
import { overHttp } from './over-http.ts';
import { overWebSocket } from './over-websocket.ts';
import { packageDownload } from './package-download.ts';
import type { AnswerFile } from './package-download.ts';

export type { Services } from './context.ts';

export interface Graphql {
  /** Answers a request to `/graphql`. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers a request for the bytes of a package. @returns false where it is for something else */
  download(request: IncomingMessage, response: ServerResponse): boolean;
  /** Accepts WebSockets at `/graphql`; disposing it closes them. */
  attach(server: Server): AsyncDisposable;
}

export function createGraphql(services: Services, answerFile: AnswerFile): Graphql {
  const operations = new Operations(services);
  return {
    handle: overHttp(operations),
    download: packageDownload(operations, answerFile),
    attach: (server) => overWebSocket(operations, server),
  };
}
