/** What every page is given: who is signed in, and the way to the server. */
import { createContext, useContext } from 'solid-js';
import type { Server } from './server.ts';
import type { SessionKeeper } from './session.ts';

export interface Live {
  readonly session: SessionKeeper;
  readonly server: Server;
}

const LiveContext = createContext<Live>();

export const LiveProvider = LiveContext.Provider;

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('There is no LiveProvider above this component.');
  return live;
}
