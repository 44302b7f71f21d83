/**
 * From a text to a document that may be executed, the same over HTTP and WebSocket: parsed within a number of tokens, measured,
 * validated, and without introspection unless an administrator asks.
 */
import { GraphQLError, NoSchemaIntrospectionCustomRule, parse, specifiedRules, validate } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { Limits } from '../config.ts';
import type { Viewer } from '../domain/access.ts';
import { measure } from './measure.ts';

type DocumentLimits = Pick<
  Limits,
  | 'graphqlTokensMax'
  | 'graphqlDepthMax'
  | 'graphqlAliasesMax'
  | 'graphqlCostMax'
  | 'graphqlDocumentsKept'
  | 'graphqlDocumentCharactersKept'
  | 'pageSizeDefault'
  | 'pageSizeMax'
>;

const VALIDATION_ERRORS_MAX = 10;

export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #limits: DocumentLimits;
  /** What clients send again and again, by its text; the longest unused goes first. */
  readonly #kept = new Map<string, DocumentNode>();
  /** Documents that were found right. */
  readonly #valid = new WeakSet<DocumentNode>();

  constructor(schema: GraphQLSchema, limits: DocumentLimits) {
    this.#schema = schema;
    this.#limits = limits;
  }

  /** @throws GraphQLError */
  parse(text: string): DocumentNode {
    const kept = this.#kept.get(text);
    if (kept !== undefined) this.#kept.delete(text);
    const document = kept ?? parse(text, { maxLexicalTokens: this.#limits.graphqlTokensMax });
    if (text.length <= this.#limits.graphqlDocumentCharactersKept) {
      this.#kept.set(text, document);
      const [oldest] = this.#kept.keys();
      if (this.#kept.size > this.#limits.graphqlDocumentsKept && oldest !== undefined) this.#kept.delete(oldest);
    }
    return document;
  }

  /** @returns what is wrong with it, for this viewer */
  validate(document: DocumentNode, viewer: Viewer | null): readonly GraphQLError[] {
    if (!this.#valid.has(document)) {
      // First, because rules that compare fields with each other take long for what is too large.
      const excess = this.#excess(document);
      if (excess !== null) return [new GraphQLError(excess, { extensions: { code: 'TOO_LARGE' } })];
      const errors = validate(this.#schema, document, specifiedRules, { maxErrors: VALIDATION_ERRORS_MAX });
      if (errors.length > 0) return errors.map((error) => refusalOf(error, viewer !== null));
      this.#valid.add(document);
    }
    if (viewer?.role === 'TENANT_ADMIN') return [];
    return validate(this.#schema, document, [NoSchemaIntrospectionCustomRule]).map(
      ({ nodes }) =>
        new GraphQLError('Only an administrator may look into the schema.', {
          nodes: nodes ?? null,
          extensions: { code: 'FORBIDDEN' },
        }),
    );
  }

  #excess(document: DocumentNode): string | null {
    const { graphqlDepthMax, graphqlAliasesMax, graphqlCostMax } = this.#limits;
    const { depth, aliases, cost } = measure(this.#schema, document, this.#limits);
    if (depth > graphqlDepthMax) return `The document is ${depth} levels deep; at most ${graphqlDepthMax} are allowed.`;
    if (aliases > graphqlAliasesMax)
      return `The document has ${aliases} aliases; at most ${graphqlAliasesMax} are allowed.`;
    if (cost > graphqlCostMax) {
      return `The document may ask for ${cost} values; at most ${graphqlCostMax} are allowed. Ask for fewer at once with first.`;
    }
    return null;
  }
}

/** @param isKnown whether the viewer may be told names that were not asked for */
function refusalOf({ message, nodes, source, positions }: GraphQLError, isKnown: boolean): GraphQLError {
  return new GraphQLError(isKnown ? message : message.replace(/ Did you mean .*$/s, ''), {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    extensions: { code: 'VALIDATION' },
  });
}
