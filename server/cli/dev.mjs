/** For development: the server restarts when its sources change, the pages follow theirs, and one address serves both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'vite';

const API = `http://127.0.0.1:${process.env.PORT || 8080}`;

const client = await createServer({
  configFile: 'client/vite.config.ts',
  server: { proxy: { '/graphql': { target: API, ws: true }, '/api': { target: API } } },
});
await client.listen();
client.printUrls();

const server = spawn('node_modules/.bin/tsx', ['watch', '--clear-screen=false', 'server/main.ts'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
// The watcher hands a signal on to the server and waits for its end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));
[process.exitCode] = await once(server, 'close');
await client.close();
