/**
 * GraphQL over WebSocket (https://github.com/graphql/graphql-over-http, protocol graphql-transport-ws), by graphql-ws. The socket is
 * ours, because sending must not wait for the reader: a slow one would never be noticed. What it leaves unread is counted instead.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError, OperationTypeNode, execute, getOperationAST } from 'graphql';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import type { Context as SocketContext, SubscribePayload } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { ValidationError } from '../domain/errors.ts';
import { translate } from './errors.ts';
import type { Operations } from './operations.ts';
import { bearerOf } from './over-http.ts';
import { schema } from './schema.ts';
import { subscribeShared } from './shared-execution.ts';

interface Extra {
  readonly socket: WebSocket;
  readonly address: string;
}

type Connection = SocketContext<Record<string, unknown> | undefined, Extra>;

/** @returns disposing it closes every socket */
export function overWebSocket(operations: Operations, httpServer: Server): AsyncDisposable {
  const { limits, logger } = operations.services;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.graphqlBodyBytesMax,
    perMessageDeflate: false,
    handleProtocols,
  });
  const protocol = makeServer<Record<string, unknown> | undefined, Extra>({
    connectionInitWaitTimeout: limits.socketInitMs,
    onSubscribe: async (connection, _id, payload) => {
      try {
        return await prepare(operations, connection, payload);
      } catch (error) {
        return [translate(error, logger)];
      }
    },
    execute,
    subscribe: subscribeShared,
    // A subscription that does not begin ends like one that began: by an `error` message.
    onOperation: (_connection, _id, _payload, args, result) => {
      const isSubscription =
        getOperationAST(args.document, args.operationName)?.operation === OperationTypeNode.SUBSCRIPTION;
      return isSubscription && 'errors' in result ? failing(result as ExecutionResult) : undefined;
    },
    onNext: (_connection, _id, _payload, _args, { data = null, errors }) =>
      errors && { data, errors: errors.map((error) => translate(error, logger).toJSON()) },
    onError: (_connection, _id, _payload, errors) =>
      errors.map((error) => translate(asGraphQLError(error), logger).toJSON()),
  });

  const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
    if (pathOf(request) !== '/graphql') {
      // Another path is another's; where there is no other, nobody's.
      if (httpServer.listenerCount('upgrade') === 1) refuse(stream, '404 Not Found');
    } else if (!isOfThisSite(request)) refuse(stream, '403 Forbidden');
    else if (sockets.clients.size >= limits.socketsMax) refuse(stream, '503 Service Unavailable');
    else sockets.handleUpgrade(request, stream, head, (socket) => open(socket, request.socket.remoteAddress ?? ''));
  };

  const open = (socket: WebSocket, address: string): void => {
    const timer = keepAlive(socket, limits.socketPingMs);
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: async (text) => {
          if (socket.readyState === socket.OPEN) socket.send(text);
        },
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) => {
          socket.on('message', (data: RawData) => {
            handle(textOf(data)).catch((error: unknown) => {
              logger.error({ err: error }, 'a WebSocket message could not be handled');
              socket.close(CloseCode.InternalServerError, 'Internal server error');
            });
          });
        },
      },
      { socket, address },
    );
    // Too large a message, or none of the protocol: ws closes the socket itself.
    socket.on('error', (error) => logger.debug({ err: error }, 'a WebSocket failed'));
    socket.once('close', (code, reason) => {
      clearInterval(timer);
      void closed(code, String(reason));
    });
  };

  httpServer.on('upgrade', onUpgrade);
  return {
    async [Symbol.asyncDispose]() {
      httpServer.off('upgrade', onUpgrade);
      for (const socket of sockets.clients) socket.close(1001, 'The server is stopping.');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          for (const socket of sockets.clients) socket.terminate();
        }, limits.socketCloseMs);
        sockets.close(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

async function prepare(
  operations: Operations,
  { extra: { socket, address }, connectionParams, subscriptions }: Connection,
  payload: SubscribePayload,
): Promise<ExecutionArgs | readonly GraphQLError[]> {
  const { documents, services } = operations;
  const { limits } = services;
  if (Object.keys(subscriptions).length > limits.subscriptionsPerSocketMax) {
    throw new ValidationError(`A socket may hold at most ${limits.subscriptionsPerSocketMax} operations at once.`);
  }
  const token = bearerOf(connectionParams?.['authorization'] ?? connectionParams?.['Authorization']);
  const contextValue = await operations.contextOf(token, address, () => socket.bufferedAmount);
  const document = documents.parse(payload.query);
  const errors = documents.validate(document, contextValue.viewer);
  if (errors.length > 0) return errors;
  return {
    schema,
    document,
    contextValue,
    operationName: payload.operationName,
    variableValues: payload.variables,
  };
}

function failing({ errors = [] }: ExecutionResult): AsyncIterable<ExecutionResult> {
  const error = errors[0] ?? new Error('A subscription ended before it began, and nobody said why.');
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

/** graphql-ws wraps what an iterator throws, also what is a GraphQL error already. */
function asGraphQLError(error: GraphQLError): GraphQLError {
  return error.originalError instanceof GraphQLError ? error.originalError : error;
}

/** A reader who is gone without a word does not answer a ping. */
function keepAlive(socket: WebSocket, everyMs: number): NodeJS.Timeout {
  let isAlive = true;
  socket.on('pong', () => (isAlive = true));
  return setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, everyMs);
}

/** ws hands over a Buffer unless it is told otherwise. */
function textOf(data: RawData): string {
  return (data as Buffer).toString('utf8');
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

/** A browser says from where a page comes that opens a socket; other programs say nothing. */
function isOfThisSite({ headers: { origin, host } }: IncomingMessage): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => {});
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
