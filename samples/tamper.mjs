const BLOCK = 512;

/** What can be done to a bundle on its way: each takes an OVA and returns one that must not be accepted. */
export const TAMPERINGS = {
  'disk-changed.ova': (ova) => flipByte(ova, find(ova, '.vmdk').data + 100),
  'digest-changed.ova': (ova) => changeDigit(ova, find(ova, '.mf'), '.vmdk)= '),
  'signature-changed.ova': (ova) => changeDigit(ova, find(ova, '.cert'), '.mf)= '),
  'extra-file.ova': (ova) => addFile(ova, 'autorun.sh', '#!/bin/sh\necho this was not signed\n'),
  'renamed.ova': (ova) => rename(ova, find(ova, '.vmdk'), 'appliance-disk2.vmdk'),
  'truncated.ova': (ova) => ova.subarray(0, find(ova, '.vmdk').data + 10_000),
};

/** The first member whose name ends in `ending`: its name, and where its header, its bytes and their padding lie. */
export function find(tar, ending) {
  for (let header = 0; tar[header] !== 0; ) {
    const name = textAt(tar, header, 100);
    const size = Number.parseInt(textAt(tar, header + 124, 12), 8);
    const data = header + BLOCK;
    const end = data + Math.ceil(size / BLOCK) * BLOCK;
    if (name.endsWith(ending)) return { name, size, header, data, end };
    header = end;
  }
  throw new Error(`no member ends in ${ending}`);
}

/** A copy with one bit of one byte changed. */
export function flipByte(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}

function changeDigit(tar, member, before) {
  const at = tar.indexOf(before, member.data) + before.length;
  const copy = Buffer.from(tar);
  copy.write(tar[at] === 0x30 ? '1' : '0', at, 'latin1');
  return copy;
}

function addFile(tar, name, text) {
  const last = find(tar, '.vmdk');
  const header = Buffer.from(tar.subarray(last.header, last.data));
  header.write(name.padEnd(100, '\0'), 0, 'latin1');
  header.write(`${Buffer.byteLength(text).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  setChecksum(header);
  const data = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / BLOCK) * BLOCK);
  data.write(text);
  return Buffer.concat([tar.subarray(0, last.end), header, data, tar.subarray(last.end)]);
}

function rename(tar, member, name) {
  const copy = Buffer.from(tar);
  const header = copy.subarray(member.header, member.data);
  header.write(name.padEnd(100, '\0'), 0, 'latin1');
  setChecksum(header);
  return copy;
}

/** The sum of the header's bytes, its own field counted as blanks. */
function setChecksum(header) {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function textAt(tar, at, length) {
  return tar.toString('latin1', at, at + length).split('\0')[0];
}
