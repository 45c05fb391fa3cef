/** The names in a folder of certificates that are read. */
export const CERTIFICATE_NAMES = /\.(pem|crt|cer|der|p7[bc])$/i;

/** The names in a folder of volumes that are read. */
export const VOLUME_NAMES = /^[^.].*\.\d{3}$/s;

/** What is packed as a descriptor, with the files that it names. */
export const DESCRIPTOR_NAME = /\.ovf$/i;

/** What a package of loose files is told by, and signed with: a new file of such a name in its folder would be a part of it. */
export const PART_NAMES = /\.(?:ovf|mf|cert|tst|p7s)$/i;

/** What is read of its folder `revocation`. */
export const EVIDENCE_NAMES = /\.(?:crl|ocsp)$/i;
