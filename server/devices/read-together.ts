/** Reads that are asked for in the same turn of the event loop go to the database as one statement. */

interface Asking<V> {
  readonly resolve: (value: V | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** @param read what it does not find is absent from its answer */
export function readTogether<V>(
  read: (keys: readonly string[]) => Promise<ReadonlyMap<string, V>>,
  keysMax: number,
): (key: string) => Promise<V | undefined> {
  let waiting = new Map<string, Asking<V>[]>();

  const send = async (): Promise<void> => {
    const asked = waiting;
    if (asked.size === 0) return;
    waiting = new Map();
    try {
      const found = await read([...asked.keys()]);
      for (const [key, asking] of asked) for (const { resolve } of asking) resolve(found.get(key));
    } catch (error) {
      for (const asking of asked.values()) for (const { reject } of asking) reject(error);
    }
  };

  return (key) =>
    new Promise((resolve, reject) => {
      const asking = waiting.get(key);
      if (asking !== undefined) {
        asking.push({ resolve, reject });
        return;
      }
      waiting.set(key, [{ resolve, reject }]);
      if (waiting.size === 1) setImmediate(() => void send());
      // Full: the next one begins another statement.
      else if (waiting.size === keysMax) void send();
    });
}
