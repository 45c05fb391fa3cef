import { type ImageProperties, parseProperties } from '../../formats/glance/properties.ts';
import { toBundleError } from '../../kit/errors/errors.ts';
import { readText } from '../../storage/trust/trust-folder.ts';
import { type Waiting, whileWaiting } from '../waiting.ts';

/** The properties of an image in a JSON file. @throws {BundleError} `FILE_*`, `PROPERTIES_MALFORMED` [glance.6] */
export async function readProperties(file: string, waiting: Waiting = {}): Promise<ImageProperties> {
  const text = await whileWaiting(waiting, (source) => readText(file, source));
  try {
    return parseProperties(text);
  } catch (error) {
    throw toBundleError(error).at({ file });
  }
}
