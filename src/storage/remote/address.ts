import { encodeUtf8, formatBase64 } from '../../kit/encoding.ts';

/** An address for messages and reports: without user name, password and query, all of which may let somebody in. [cli.13] */
export function showAddress(address: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address)?.[0];
  if (scheme === undefined) return address.replace(/^.*@/s, '…').replace(/\?.*/s, '?…');
  if (!URL.canParse(address)) return `${scheme}…`;
  const { protocol, host, pathname, search } = new URL(address);
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`;
}

/** The header for the user name and password of an address, if it has any. */
export function basicOf({ username, password }: URL): { readonly authorization?: string } {
  if (username === '' && password === '') return {};
  const pair = encodeUtf8(`${decodePart(username)}:${decodePart(password)}`);
  return { authorization: `Basic ${formatBase64(pair)}` };
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a percent sign that stands for itself
  }
}
