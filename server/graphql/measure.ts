/**
 * How large the answer to a document may become. Every fragment is measured once, so that one which spreads another twice, which
 * spreads another twice, and so on, costs no more to measure than to write.
 */
import { Kind, getNamedType, getNullableType, isListType, isObjectType, isInterfaceType } from 'graphql';
import type {
  DocumentNode,
  FieldNode,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  SelectionNode,
} from 'graphql';
import type { Limits } from '../config.ts';

export interface Measure {
  /** Levels of fields. */
  readonly depth: number;
  readonly aliases: number;
  /** Values that the answer may hold. */
  readonly cost: number;
}

/** A list that is not paged: the states of a count, the events of an update. */
const PLAIN_LIST_LENGTH = 10;

const NOTHING: Measure = { depth: 0, aliases: 0, cost: 0 };

interface Measuring {
  readonly schema: GraphQLSchema;
  readonly limits: Pick<Limits, 'pageSizeDefault' | 'pageSizeMax'>;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** By fragment and page size. What is being measured counts as nothing: a circle, which the rules refuse. */
  readonly measured: Map<string, Measure>;
}

/** The largest of its operations. Introspection counts as nothing: it has a rule of its own. */
export function measure(schema: GraphQLSchema, document: DocumentNode, limits: Measuring['limits']): Measure {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measuring = { schema, limits, fragments, measured: new Map<string, Measure>() };
  let largest = NOTHING;
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const root = schema.getRootType(definition.operation) ?? undefined;
    const { depth, aliases, cost } = measureAll(measuring, definition.selectionSet.selections, root, 1);
    largest = {
      depth: Math.max(largest.depth, depth),
      aliases: Math.max(largest.aliases, aliases),
      cost: Math.max(largest.cost, cost),
    };
  }
  return largest;
}

/** @param pageSize how many edges the connection has that the selections are of */
function measureAll(
  measuring: Measuring,
  selections: readonly SelectionNode[],
  parent: GraphQLNamedType | undefined,
  pageSize: number,
): Measure {
  let [depth, aliases, cost] = [0, 0, 0];
  for (const selection of selections) {
    const one = measureOne(measuring, selection, parent, pageSize);
    depth = Math.max(depth, one.depth);
    aliases += one.aliases;
    cost += one.cost;
  }
  return { depth, aliases, cost };
}

function measureOne(
  measuring: Measuring,
  selection: SelectionNode,
  parent: GraphQLNamedType | undefined,
  pageSize: number,
): Measure {
  if (selection.kind === Kind.FIELD) return measureField(measuring, selection, parent, pageSize);
  if (selection.kind === Kind.INLINE_FRAGMENT) {
    const name = selection.typeCondition?.name.value;
    const type = name === undefined ? parent : measuring.schema.getType(name);
    return measureAll(measuring, selection.selectionSet.selections, type, pageSize);
  }
  const fragment = measuring.fragments.get(selection.name.value);
  if (fragment === undefined) return NOTHING;
  const key = `${fragment.name.value} ${pageSize}`;
  const known = measuring.measured.get(key);
  if (known !== undefined) return known;
  measuring.measured.set(key, NOTHING);
  const type = measuring.schema.getType(fragment.typeCondition.name.value);
  const measured = measureAll(measuring, fragment.selectionSet.selections, type, pageSize);
  measuring.measured.set(key, measured);
  return measured;
}

function measureField(
  measuring: Measuring,
  node: FieldNode,
  parent: GraphQLNamedType | undefined,
  pageSize: number,
): Measure {
  const aliases = node.alias === undefined ? 0 : 1;
  if (node.name.value.startsWith('__')) return { depth: 1, aliases, cost: 0 };
  const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
  const type = field && getNamedType(field.type);
  const isConnection = type?.name.endsWith('Connection') === true;
  const inner = measureAll(
    measuring,
    node.selectionSet?.selections ?? [],
    type,
    isConnection ? pageSizeOf(measuring, node) : 1,
  );
  return {
    depth: inner.depth + 1,
    aliases: inner.aliases + aliases,
    cost: (1 + inner.cost) * lengthOf(field, node, pageSize),
  };
}

function lengthOf(field: GraphQLField<unknown, unknown> | undefined, node: FieldNode, pageSize: number): number {
  if (field === undefined || !isListType(getNullableType(field.type))) return 1;
  return node.name.value === 'edges' ? pageSize : PLAIN_LIST_LENGTH;
}

/** A variable may be anything up to the largest page, so that one document is measured once for all its variables. */
function pageSizeOf({ limits }: Measuring, node: FieldNode): number {
  const value = node.arguments?.find(({ name }) => name.value === 'first')?.value;
  if (value === undefined || value.kind === Kind.NULL) return limits.pageSizeDefault;
  if (value.kind !== Kind.INT) return limits.pageSizeMax;
  return Math.min(Math.max(Number(value.value), 1), limits.pageSizeMax);
}
