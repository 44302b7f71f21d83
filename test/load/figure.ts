/** One measured figure beside what it is held against. */
export interface Figure {
  readonly name: string;
  readonly measured: number;
  readonly reference: number;
  readonly unit: string;
  /** What measured ÷ reference must keep to. */
  readonly ratio: { readonly atLeast: number } | { readonly atMost: number };
}

export function isMet({ measured, reference, ratio }: Figure): boolean {
  return 'atLeast' in ratio ? measured / reference >= ratio.atLeast : measured / reference <= ratio.atMost;
}

/** A table of fixed columns: figure | measured | reference | ratio. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { name, measured, reference, unit, ratio } = figure;
    const wanted = 'atLeast' in ratio ? `at least ${ratio.atLeast}` : `at most ${ratio.atMost}`;
    const verdict = `${(measured / reference).toFixed(2)} (${isMet(figure) ? '' : 'MISSED, '}${wanted})`;
    return [name, `${rounded(measured)} ${unit}`, `${rounded(reference)} ${unit}`, verdict];
  });
  const all = [['figure', 'measured', 'reference', 'ratio'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')).join('\n');
}

/** The value below which the given fraction of them lies. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

function rounded(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 });
}
