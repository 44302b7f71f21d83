/** What a TypeScript source imports, and where it reads the environment, from its syntax tree. */
import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly isType: boolean;
  /** Counted from 1. */
  readonly line: number;
}

/** `path` tells by its end whether `<T>` opens a type or an element. */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  visit(path, text, (node, line) => {
    const [specifier, isType] = importIn(node) ?? [];
    // A module named by a computed value could be any: it counts as a name that no rule allows.
    if (specifier) {
      found.push({
        specifier: ts.isStringLiteralLike(specifier) ? specifier.text : '(computed)',
        isType: !!isType,
        line,
      });
    }
  });
  return found;
}

/** The lines that read `process.env`, however it is spelled; handing it on whole to `readConfig` is not reading it. */
export function environmentReadsOf(path: string, text: string): number[] {
  const lines: number[] = [];
  visit(path, text, (node, line) => {
    if (isEnvironment(node) && !isGivenToReadConfig(node)) lines.push(line);
    if (ts.isElementAccessExpression(node) && isProcess(node.expression)) lines.push(line);
    if (ts.isVariableDeclaration(node) && node.initializer && isProcess(node.initializer)) lines.push(line);
    if (ts.isImportDeclaration(node) && /^'(node:)?process'$/.test(node.moduleSpecifier.getText())) lines.push(line);
  });
  return lines;
}

type Found = readonly [specifier: ts.Node, isType: boolean];

function importIn(node: ts.Node): Found | undefined {
  // `import { type A } from 'a'` still loads the module, so only `import type` counts as a type.
  if (ts.isImportDeclaration(node))
    return [node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword];
  if (ts.isExportDeclaration(node)) return node.moduleSpecifier && [node.moduleSpecifier, node.isTypeOnly];
  if (ts.isImportTypeNode(node))
    return [ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true];
  if (!ts.isCallExpression(node)) return undefined;
  const [argument] = node.arguments;
  const loads = node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require';
  return loads && argument ? [argument, false] : undefined;
}

function isEnvironment(node: ts.Node): boolean {
  return ts.isPropertyAccessExpression(node) && isProcess(node.expression) && node.name.text === 'env';
}

function isGivenToReadConfig({ parent }: ts.Node): boolean {
  return ts.isCallExpression(parent) && parent.expression.getText() === 'readConfig';
}

function isProcess(node: ts.Expression): boolean {
  return ['process', 'globalThis.process'].includes(node.getText());
}

function visit(path: string, text: string, look: (node: ts.Node, line: number) => void): void {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const walk = (node: ts.Node): void => {
    look(node, source.getLineAndCharacterOfPosition(node.getStart()).line + 1);
    ts.forEachChild(node, walk);
  };
  walk(source);
}
