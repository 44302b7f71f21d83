/**
 * Stands before every root field, whoever wrote its resolver: a field without a rule does not start, and nobody reads or subscribes
 * beyond their rights. (A mutation asks for itself, since its refusal is data and an audit entry.) And what no row can hold does not
 * get as far as the database: an id that is no UUID names nothing, and a text with NUL is refused.
 */
import { GraphQLID, getNamedType, getNullableType, isInputObjectType, isListType } from 'graphql';
import type { GraphQLArgument, GraphQLField, GraphQLInputField, GraphQLInputType, GraphQLSchema } from 'graphql';
import { ACCESS, isAct, permit } from '../domain/access.ts';
import type { Act } from '../domain/access.ts';
import { ValidationError } from '../domain/errors.ts';
import type { Context } from './context.ts';

type Args = Record<string, unknown>;

/** No row has it. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

export function guard(schema: GraphQLSchema): GraphQLSchema {
  for (const field of fieldsOf(schema.getMutationType())) {
    ruleOf(field);
    replace(field, 'resolve', () => {});
  }
  for (const field of fieldsOf(schema.getQueryType())) replace(field, 'resolve', check(ruleOf(field)));
  for (const field of fieldsOf(schema.getSubscriptionType())) replace(field, 'subscribe', check(ruleOf(field)));
  return schema;
}

function fieldsOf(type: ReturnType<GraphQLSchema['getQueryType']>): GraphQLField<unknown, Context>[] {
  return Object.values(type?.getFields() ?? {});
}

function ruleOf({ name }: GraphQLField<unknown, Context>): Act {
  if (isAct(name)) return name;
  throw new Error(`The root field ${name} has no rule in domain/access.ts.`);
}

function check(act: Act): (context: Context) => void {
  return ({ viewer }) => {
    if (ACCESS[act] !== 'ANYONE') permit(viewer, act);
  };
}

function replace(
  field: GraphQLField<unknown, Context>,
  what: 'resolve' | 'subscribe',
  before: (context: Context) => void,
): void {
  const resolver = field[what];
  if (!resolver) throw new Error(`The root field ${field.name} has nothing to ${what} it.`);
  field[what] = (root, args: Args, context, info) => {
    before(context);
    return resolver(root, storableArgs(field.args, args), context, info);
  };
}

function storableArgs(inputs: readonly (GraphQLArgument | GraphQLInputField)[], values: Args): Args {
  const known = { ...values };
  for (const { name, type } of inputs) {
    if (known[name] != null) known[name] = storable(type, known[name]);
  }
  return known;
}

function storable(type: GraphQLInputType, value: unknown): unknown {
  const nullable = getNullableType(type);
  if (value == null) return value;
  if (isListType(nullable)) return (value as unknown[]).map((item) => storable(nullable.ofType, item));
  const named = getNamedType(nullable);
  if (named === GraphQLID) return typeof value === 'string' && isUuid(value) ? value.toLowerCase() : NIL_UUID;
  // The database knows no such text. Refused where it comes in, and not by each reader.
  if (typeof value === 'string' && value.includes('\0'))
    throw new ValidationError('A text cannot hold the character NUL.');
  return isInputObjectType(named) ? storableArgs(Object.values(named.getFields()), value as Args) : value;
}
