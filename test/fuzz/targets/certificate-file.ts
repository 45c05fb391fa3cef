import { formatCertificateFile, parseCertificateFile } from '../../../src/formats/ovf/certificate-file.ts';
import { formatPem } from '../../../src/formats/pem.ts';
import { concat, equalBytes } from '../../../src/kit/bytes.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { mutateDer } from '../mutators/der-mutator.ts';
import { mutateText } from '../mutators/text-mutator.ts';
import { cast } from '../seeds/pki.ts';
import { vectorFiles } from '../seeds/vectors.ts';
import { expectThat, type Target } from '../target.ts';

const pem = (label: string, der: Uint8Array): Uint8Array => encodeUtf8(formatPem(label, der));

/** Certificate files: read or refused; what is read is written back to the same parts; a CMS is exchanged alone. */
export const CERTIFICATE_FILE: Target = {
  name: 'certificate-file',
  group: 'archives',
  share: 1,
  codes: ['CERTIFICATE_FILE_SYNTAX', 'ALGORITHM_UNSUPPORTED'],
  open: async () => {
    const { signer, sub, root } = cast();
    const base = { algorithm: 'sha256', manifestName: 'a.mf', signature: Uint8Array.of(1, 2, 3) } as const;
    return {
      seeds: [
        formatCertificateFile({ ...base, certificates: [signer] }),
        formatCertificateFile({ ...base, certificates: [signer, sub, root] }),
        formatCertificateFile({ ...base, certificates: [signer], cms: sub }),
        ...vectorFiles('ovf', /\.(cert|pem)$/),
      ],
      mutate: (random, corpus) => {
        if (random.chance(1, 8))
          return concat([
            encodeUtf8('SHA256(a.mf)= 010203\n'),
            pem('CERTIFICATE', mutateDer(random, signer, [sub])),
            pem('CMS', root),
          ]);
        return mutateText(random, random.pick(corpus));
      },
      run: (input) => {
        const file = parseCertificateFile(input);
        const again = parseCertificateFile(formatCertificateFile(file));
        const parts = ({ signature, certificates, cms = root }: typeof file): readonly Uint8Array[] => [
          signature,
          cms,
          ...certificates,
        ];
        expectThat(
          parts(again).length === parts(file).length &&
            parts(again).every((part, i) => equalBytes(part, parts(file)[i] ?? part.subarray(1))),
          'what is written is read otherwise',
        );
        if (!file.cms) return 'read';
        const changed = parseCertificateFile(formatCertificateFile({ ...file, cms: signer }));
        expectThat(equalBytes(changed.cms ?? root, signer), 'the CMS is not exchanged');
        expectThat(
          changed.certificates.length === file.certificates.length,
          'more is exchanged than the CMS',
        );
        return 'read, with a CMS';
      },
    };
  },
};
