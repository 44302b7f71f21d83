/** The dashboard's files, as Vite built them: names with a hash are kept by browsers for ever, everything else is asked for again. */
import { existsSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

/** `dist/client`, from the compiled server and from its source alike. */
const BUILT = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../client' : '../../dist/client', import.meta.url),
);

const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** In development Vite serves the dashboard, and nothing is built. */
const notBuilt: RequestListener = (_request, response) => {
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('The dashboard is not built.\n');
};

/** A path that names no file is a page of the dashboard, which finds its way by itself. */
export function clientFiles(): RequestListener {
  if (!existsSync(BUILT)) return notBuilt;
  const serve = sirv(BUILT, {
    dev: false,
    etag: true,
    single: true,
    setHeaders(response, path) {
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      response.setHeader('Content-Security-Policy', POLICY);
      const isHashed = path.startsWith('/assets/');
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request, response) => {
    const notFound = (): void => {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Not found.\n');
    };
    if (request.method === 'GET' || request.method === 'HEAD') serve(request, response, notFound);
    else response.writeHead(405, { Allow: 'GET, HEAD' }).end();
  };
}
