/**
 * Subscribing, with one execution for all who would be told the same: the same value from the same source, by the same document, for
 * the same rights. (200 subscribers to one batch are one execution, not 200.)
 */
import { Kind, createSourceEventStream, execute, getOperationAST, visit } from 'graphql';
import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';
import type { Context } from './context.ts';

type Results = Map<string, Promise<ExecutionResult>>;

/** By the value, which goes when the last subscriber has taken it, and by the document, which is one object for one text. */
const shared = new WeakMap<object, WeakMap<DocumentNode, Results>>();

export async function subscribeShared(args: ExecutionArgs): Promise<AsyncIterable<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source;
  const iterator = source[Symbol.asyncIterator]();
  const key = keyOf(args);
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const next: IteratorResult<unknown> = await iterator.next();
      if (next.done === true) return { done: true, value: undefined };
      return { done: false, value: await executeOnce(args, next.value, key) };
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    async throw(error: unknown) {
      await iterator.throw?.(error);
      throw error;
    },
  } as AsyncIterableIterator<ExecutionResult>;
}

async function executeOnce(args: ExecutionArgs, value: unknown, key: string): Promise<ExecutionResult> {
  const run = async (): Promise<ExecutionResult> => execute({ ...args, rootValue: value });
  if (typeof value !== 'object' || value === null) return run();
  const ofValue = shared.get(value) ?? new WeakMap<DocumentNode, Results>();
  shared.set(value, ofValue);
  const ofDocument: Results = ofValue.get(args.document) ?? new Map();
  ofValue.set(args.document, ofDocument);
  const result = ofDocument.get(key) ?? run();
  ofDocument.set(key, result);
  return result;
}

/** The rights, and the variables as far as they reach below the root field: the value is what its own arguments came to. */
function keyOf({ document, operationName, variableValues, contextValue }: ExecutionArgs): string {
  const { viewer } = contextValue as Context;
  const names = variablesBelowRoot(document, operationName ?? null);
  return JSON.stringify([
    viewer?.tenantId,
    viewer?.role,
    viewer?.customerId,
    operationName,
    names.map((name) => variableValues?.[name]),
  ]);
}

function variablesBelowRoot(document: DocumentNode, operationName: string | null): string[] {
  const operation = getOperationAST(document, operationName);
  const names = new Set<string>();
  const collect = (node: Parameters<typeof visit>[0]): void =>
    void visit(node, { Variable: ({ name }) => void names.add(name.value) });
  for (const root of operation?.selectionSet.selections ?? []) {
    // What a fragment at the root holds is looked at whole.
    if (root.kind !== Kind.FIELD) collect(root);
    else if (root.selectionSet !== undefined) collect(root.selectionSet);
  }
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) collect(definition);
  }
  return [...names].toSorted();
}
