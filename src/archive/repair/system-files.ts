/** What macOS writes beside the files of others, in a tar or in a zip: attributes, and how a folder was shown. */
const SYSTEM_FILE = /(^|\/)(\._[^/]+|\.DS_Store)$/;

/** Whether a member is left out when an archive is repaired: a manifest that lists it has a file missing then, and the bundle is refused. [repair.7] */
export function isLeftBySystem(name: string): boolean {
  return SYSTEM_FILE.test(name);
}
