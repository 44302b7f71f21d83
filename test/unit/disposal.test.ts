import { expect, test } from 'vitest';

test('`using` and `await using` are lowered for Node 20 and dispose in reverse order', async () => {
  const disposed: string[] = [];
  {
    using first = { [Symbol.dispose]: () => disposed.push('first') };
    await using second = { [Symbol.asyncDispose]: async () => void disposed.push('second') };
    expect([first, second]).toHaveLength(2);
    expect(disposed).toEqual([]);
  }
  expect(disposed).toEqual(['second', 'first']);
});
