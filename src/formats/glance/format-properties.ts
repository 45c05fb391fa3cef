import { formatJson } from '../../kit/json.ts';
import { PROPERTY_NAMES, type SignatureProperties } from './properties.ts';

/** A way in which properties are handed on: a JSON object, arguments of the openstack client, the body of a PATCH. */
export type PropertyForm = 'json' | 'args' | 'patch';

/** All of them. */
export const PROPERTY_FORMS: readonly PropertyForm[] = ['json', 'args', 'patch'];

/** The four properties by their names in Glance, in the order of its documentation. [glance.1] */
export function namedProperties(properties: SignatureProperties): ReadonlyMap<string, string> {
  const keys = ['signature', 'certificateUuid', 'hashMethod', 'keyType'] as const;
  return new Map(keys.map((key) => [PROPERTY_NAMES[key], properties[key]]));
}

/** The text of the four properties, with a line end. [glance.8] */
export function formatProperties(properties: SignatureProperties, form: PropertyForm): string {
  const named = [...namedProperties(properties)];
  switch (form) {
    case 'json':
      return `${formatJson(Object.fromEntries(named))}\n`;
    case 'args': // base64, UUIDs and the names have no character that a shell would take apart
      return `${named.map(([name, value]) => `--property ${name}=${value}`).join(' ')}\n`;
    case 'patch': {
      const patch = named.map(([name, value]) => ({ op: 'add', path: `/${name}`, value }));
      return `${formatJson(patch)}\n`;
    }
  }
}
