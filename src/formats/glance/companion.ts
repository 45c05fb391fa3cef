const COMPANION = '.glance.json';

/** The member that holds the properties of a disk image. [glance.34] */
export function companionOf(disk: string): string {
  return `${disk}${COMPANION}`;
}

/** The disk image that a member of this name holds the properties of, if it is such a member by its name. [glance.34] */
export function companionsDisk(name: string): string | undefined {
  return name.endsWith(COMPANION) ? name.slice(0, -COMPANION.length) : undefined;
}
