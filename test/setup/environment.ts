/**
 * What the machine trusts besides is nothing that a test asks for, and takes every process a tenth of a second to read; what
 * the tests start begins without it.
 */
export function setup(): void {
  delete process.env['NODE_EXTRA_CA_CERTS'];
}
