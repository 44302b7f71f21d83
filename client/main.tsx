import { Provider } from '@urql/solid';
import type { JSX } from 'solid-js';
import { render } from 'solid-js/web';
import { LiveProvider } from './live/live-context.ts';
import { createServer } from './live/server.ts';
import { createSession } from './live/session.ts';
import { Routes } from './routes.tsx';
import { StateSprite } from './ui/state-icon.tsx';
import './ui/page.css';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

function App(): JSX.Element {
  const session = createSession();
  const server = createServer(session);
  return (
    <LiveProvider value={{ session, server }}>
      <Provider value={server.client}>
        <StateSprite />
        <Routes />
      </Provider>
    </LiveProvider>
  );
}

render(App, root);
