/**
 * Who is signed in. The token is kept in this tab alone (sessionStorage): it survives a reload and nothing else, and no other tab, no
 * later visitor and no backup of the disk finds it. A cookie that scripts cannot read would be better still.
 */
import { createSignal } from 'solid-js';
import type { Accessor } from 'solid-js';

export interface Session {
  readonly token: string;
  readonly expiresAt: string;
  readonly email: string;
  /** The customer of a customer's user, else the tenant. */
  readonly house: string;
  readonly isAdmin: boolean;
}

export interface SessionKeeper {
  readonly current: Accessor<Session | null>;
  /** Why the last session ended, for whoever has to sign in again; null where they know. */
  readonly ended: Accessor<string | null>;
  begin(session: Session): void;
  end(reason: string | null): void;
}

const KEY = 'aloft.session';

export function createSession(): SessionKeeper {
  const [current, setCurrent] = createSignal(stored());
  const [ended, setEnded] = createSignal<string | null>(null);
  return {
    current,
    ended,
    begin(session) {
      sessionStorage.setItem(KEY, JSON.stringify(session));
      setEnded(null);
      setCurrent(session);
    },
    end(reason) {
      if (current() === null) return;
      sessionStorage.removeItem(KEY);
      setEnded(reason);
      setCurrent(null);
    },
  };
}

function stored(): Session | null {
  const text = sessionStorage.getItem(KEY);
  if (text === null) return null;
  const session = JSON.parse(text) as Session;
  return Date.parse(session.expiresAt) > Date.now() ? session : null;
}
