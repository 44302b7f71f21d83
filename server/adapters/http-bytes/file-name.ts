/** A file name in headers. It is a person's text: it must neither end a header nor leave its quotes. */

const UNSAFE_IN_HEADER = /[\u0000-\u001f\u007f]/g;
const NOT_ASCII = /[^\u0020-\u007e]/u;

export function fileNameHeaders(fileName: string): Record<'Content-Disposition' | 'x-filename', string> {
  const name = fileName.replace(UNSAFE_IN_HEADER, '_');
  // RFC 6266, section 5, and RFC 8187 for what is not ASCII; the plain parameter comes first, for clients that know only it.
  const plain = name.replace(/[^\u0020-\u007e]/gu, '_').replace(/["\\]/g, '\\$&');
  const extended = NOT_ASCII.test(name)
    ? `;filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, percentEncoded)}`
    : '';
  return {
    'Content-Disposition': `attachment;filename="${plain}"${extended}`,
    // Headers are bytes to Node, one for each character below U+0100.
    'x-filename': Buffer.from(name, 'utf8').toString('latin1'),
  };
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
