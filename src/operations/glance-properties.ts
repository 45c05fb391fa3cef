import { type ImageProperties, parseProperties } from '../formats/glance/properties.ts';
import { toBundleError } from '../kit/errors.ts';
import { readText } from '../storage/trust-folder.ts';

/** The properties of an image in a JSON file. @throws {BundleError} `FILE_*`, `PROPERTIES_MALFORMED` [glance.6] */
export function readProperties(file: string): ImageProperties {
  const text = readText(file);
  try {
    return parseProperties(text);
  } catch (error) {
    throw toBundleError(error).at({ file });
  }
}
