/** Why a file is no text with PEM blocks in it such as people keep. */
export interface NotPemText {
  readonly message: string;
  readonly why: string;
}

/** Such as stand in no text: an archive, a program and DER have them. */
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f]/;
const MARKUP = /^\uFEFF?\s*</;
/** The line that makes a certificate file of a bundle: the signature of a manifest. */
const SIGNATURE_LINE = /^[ \t\uFEFF]*[A-Za-z0-9-]+[ \t]*\([^\n]+\.mf\)[ \t]*=/im;

/**
 * Looks at a file in which PEM blocks are to be found, with notes around them at most, as in a CA's bundle, or what openssl writes for
 * people; undefined when it is one. Blocks are picked out of anything by splitPem: out of an archive, that is, in which somebody else put
 * them. [pub.19]
 */
export function notPemText(text: string): NotPemText | undefined {
  if (CONTROLS.test(text)) {
    return {
      message: 'this is no text file, but an archive or a program',
      why: 'PEM blocks in it are not looked for: whoever made it would choose them, and vouch for himself',
    };
  }
  if (MARKUP.test(text)) {
    return {
      message: 'this is XML or HTML, and no file of certificates',
      why: 'PEM blocks in it are not looked for: whoever wrote it would choose them',
    };
  }
  if (!SIGNATURE_LINE.test(text)) return undefined;
  return {
    message: 'this is the certificate file of a bundle',
    why: 'its certificates come from whoever signed the bundle, and is to be judged',
  };
}
