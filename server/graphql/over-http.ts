/** GraphQL over HTTP, by Yoga. What a request must be before GraphQL begins is decided here: who asks, how large it is, whence it comes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import type { DocumentNode } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Plugin } from 'graphql-yoga';
import { TooLargeError, UnauthenticatedError } from '../domain/errors.ts';
import type { Context } from './context.ts';
import { HTTP_STATUS, translate } from './errors.ts';
import type { Operations } from './operations.ts';
import { schema } from './schema.ts';
import { admitMultipart, isMultipart, readMultipart, uploadLimitsOf } from './upload.ts';

/** What Yoga is given beside the request. */
interface Given {
  readonly context: Context;
  /** The operation of a multipart request, its file still arriving. */
  readonly operation: Record<string, unknown> | null;
}

export function overHttp(
  operations: Operations,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { services } = operations;
  const { limits, logger } = services;
  const uploadLimits = uploadLimitsOf(services);
  const yoga = createYoga<Given, Context>({
    schema,
    context: ({ context }) => context,
    graphqlEndpoint: '/graphql',
    plugins: [ofMultipart(), inOneWay(operations)],
    maskedErrors: { maskError: (error) => translate(error, logger) },
    renderGraphiQL: async (options) => {
      const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
      return renderGraphiQL(options);
    },
    graphiql: { title: 'Aloft', subscriptionsProtocol: 'WS' },
    // Requests are parsed, limited and kept by us, over HTTP and WebSocket alike.
    multipart: false,
    parserAndValidationCache: false,
    maxRequestBodySize: false,
    // Pages of other sites have no business here.
    cors: false,
    landingPage: false,
    logging: false,
  });

  return async (request, response) => {
    try {
      const context = await operations.contextOf(
        bearerOf(request.headers.authorization),
        request.socket.remoteAddress ?? '',
      );
      const multipart = isMultipart(request);
      if (multipart) {
        admitMultipart(request, uploadLimits);
        // Nobody's gigabytes are not taken in only to be refused.
        if (context.viewer === null) throw new UnauthenticatedError();
      }
      const operation = multipart ? await readMultipart(request, response, uploadLimits) : null;
      const body = multipart ? null : await readBody(request, limits.graphqlBodyBytesMax);
      const answer = await yoga.fetch(
        new URL(request.url ?? '/', 'http://localhost'),
        {
          method: request.method ?? 'GET',
          headers: headersOf(request),
          ...(body ? { body } : {}),
        },
        { context, operation },
      );
      await send(response, answer);
    } catch (error) {
      refuse(response, translate(error, logger));
    } finally {
      discardRest(request, limits.refusedBodyMs);
    }
  };
}

/** The operation of a multipart request was read before Yoga was asked. */
function ofMultipart(): Plugin<object, Given> {
  return {
    onRequestParse({ serverContext, setRequestParser }) {
      const operation = serverContext.operation;
      if (operation !== null) setRequestParser(() => operation);
    },
  };
}

/** Documents are parsed and validated as over a WebSocket, and subscriptions are for WebSockets alone. */
function inOneWay({ documents }: Operations): Plugin<Given, Given> {
  return {
    onParse: ({ params, setParsedDocument }) => setParsedDocument(documents.parse(String(params.source))),
    // The context of the operation is made after this: until then it lies in what Yoga was given.
    onValidate: ({ context: given, params, setResult }) =>
      setResult([...documents.validate(params.documentAST as DocumentNode, given.context.viewer)]),
    onSubscribe: () => {
      throw new GraphQLError('Subscribe over a WebSocket (graphql-transport-ws) at this address.', {
        extensions: { code: 'VALIDATION' },
      });
    },
  };
}

export function bearerOf(authorization: unknown): string | null {
  return typeof authorization === 'string' ? (/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null) : null;
}

/** @throws TooLargeError, before the body where its declared length alone proves it */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  const tooLarge = new TooLargeError(`A request without a file may have at most ${bytesMax} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf(request: IncomingMessage): [string, string][] {
  return Object.entries(request.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  );
}

/** Whole: nothing is streamed, since subscriptions are for WebSockets. */
async function send(response: ServerResponse, answer: Response): Promise<void> {
  const body = await answer.text();
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(body);
}

export function refuse(response: ServerResponse, error: GraphQLError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const code = error.extensions['code'];
  const status =
    typeof code === 'string' && Object.hasOwn(HTTP_STATUS, code) ? HTTP_STATUS[code as keyof typeof HTTP_STATUS] : 500;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify({ errors: [error] }));
}

/**
 * What of a refused request still arrives is read and thrown away for a while: closing at once would reset the connection, and its
 * sender would not read why.
 */
function discardRest(request: IncomingMessage, ms: number): void {
  if (request.readableEnded || request.destroyed) return;
  // Whoever was reading stopped, and a request that is piped into what does not read stands still.
  request.unpipe();
  request.resume();
  const timer = setTimeout(() => request.destroy(), ms);
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}
