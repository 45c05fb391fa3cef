import { printable } from '../../../kit/encoding.ts';
import { ovfAttribute } from '../envelope.ts';
import { isCim } from '../virtual-system.ts';
import type { XmlElement } from '../xml.ts';
import { cannot, type Found, NAMES_SHOWN } from './found.ts';
import { attributePlaces, textPlace } from './places.ts';
import type { PlacedXml } from './xml-places.ts';

/** A network, wherever it is listed, and all network cards that are on it. */
export function networkName(
  document: PlacedXml,
  old: string,
  { key, value }: { readonly key: string; readonly value: string },
): Found {
  const everything = elementsIn(document.root);
  const networks = everything.filter(({ uri, local }) => uri === document.root.uri && local === 'Network');
  const names = networks.map((element) => ovfAttribute(element, 'name') ?? '');
  if (!names.includes(old)) throw cannot(key, 'the descriptor has no such network', names);
  if (names.includes(value) && value !== old)
    throw cannot(key, `there is a network "${printable(value)}" already, and the two would become one`, []);
  const renamed = networks.filter((element) => ovfAttribute(element, 'name') === old);
  const connections = everything.filter((one) => isCim(one, 'Connection') && one.text.trim() === old);
  const known = new Set([...renamed, ...connections]);
  const others = everything.filter(
    (one) =>
      !known.has(one) &&
      (one.text.trim() === old || one.attributes.some((attribute) => attribute.value === old)),
  );
  return {
    what: `network ${old}`,
    becomes: `network ${value}`,
    old,
    places: [
      ...renamed.flatMap((element) => attributePlaces(document, element, 'name')),
      ...connections.map((element) => textPlace(document, element)),
    ],
    notes: others
      .map(({ line, local }) => `line ${line} of the descriptor: ${local} still says "${printable(old)}"`)
      .slice(0, NAMES_SHOWN),
  };
}

function elementsIn(element: XmlElement): readonly XmlElement[] {
  return [element, ...element.children.flatMap(elementsIn)];
}
