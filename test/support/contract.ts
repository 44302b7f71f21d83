/** The documents that API clients send, by the name of their operation. */
import { readFileSync } from 'node:fs';
import { Kind, parse, print } from 'graphql';
import type { OperationDefinitionNode } from 'graphql';

const text = readFileSync(new URL('../api/contract.graphql', import.meta.url), 'utf8');

export const contract: ReadonlyMap<string, string> = new Map(
  parse(text)
    .definitions.filter(
      (definition): definition is OperationDefinitionNode => definition.kind === Kind.OPERATION_DEFINITION,
    )
    .map((definition) => [definition.name?.value ?? '', print(definition)]),
);

export function document(name: string): string {
  const found = contract.get(name);
  if (found === undefined) throw new Error(`the contract has no document ${name}`);
  return found;
}
