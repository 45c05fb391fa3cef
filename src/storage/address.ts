/** An address for messages and reports: without user name, password and query, all of which may let somebody in. [cli.13] */
export function showAddress(address: string): string {
  if (!URL.canParse(address)) return `${address.slice(0, address.indexOf('://'))}://…`;
  const { protocol, host, pathname, search } = new URL(address);
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`;
}
