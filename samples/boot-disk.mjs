/** What the appliance says on its serial port when it has booted. */
export const GREETING = 'bulla sample appliance: booted';

const DISK_BYTES = 1024 * 1024;
const SECTOR_BYTES = 512;

/**
 * 16-bit code that a PC runs from its boot sector at 0000:7C00. Jumps are relative to the instruction after them;
 * the only address is that of the text, which follows the code.
 */
const CODE = [
  [0x31, 0xc0], //        00        xor ax, ax
  [0x8e, 0xd8], //        02        mov ds, ax
  [0xfc], //              04        cld
  [0xba, 0xfb, 0x03], //  05        mov dx, 3FBh     line control of COM1
  [0xb0, 0x80], //        08        mov al, 80h      the next two ports are the divisor
  [0xee], //              0A        out dx, al
  [0xba, 0xf8, 0x03], //  0B        mov dx, 3F8h
  [0xb0, 0x01], //        0E        mov al, 1        115200 baud
  [0xee], //              10        out dx, al
  [0x42], //              11        inc dx
  [0x30, 0xc0], //        12        xor al, al
  [0xee], //              14        out dx, al
  [0xba, 0xfb, 0x03], //  15        mov dx, 3FBh
  [0xb0, 0x03], //        18        mov al, 3        8 bits, no parity, 1 stop bit
  [0xee], //              1A        out dx, al
  [0xbe, 0x39, 0x7c], //  1B        mov si, text
  [0xac], //              1E next:  lodsb
  [0x84, 0xc0], //        1F        test al, al
  [0x74, 0x12], //        21        jz done
  [0x88, 0xc4], //        23        mov ah, al
  [0xba, 0xfd, 0x03], //  25        mov dx, 3FDh     line status
  [0xec], //              28 wait:  in al, dx
  [0xa8, 0x20], //        29        test al, 20h     is there room for a byte?
  [0x74, 0xfb], //        2B        jz wait
  [0xba, 0xf8, 0x03], //  2D        mov dx, 3F8h
  [0x88, 0xe0], //        30        mov al, ah
  [0xee], //              32        out dx, al
  [0xeb, 0xe9], //        33        jmp next
  [0xfa], //              35 done:  cli
  [0xf4], //              36 halt:  hlt
  [0xeb, 0xfd], //        37        jmp halt
].flat(); //              39 text:

/** A raw disk of 1 MiB that boots, says its greeting on COM1, and halts. */
export function bootDisk() {
  const disk = Buffer.alloc(DISK_BYTES);
  disk.set(CODE);
  disk.write(`${GREETING}\r\n\0`, CODE.length, 'latin1');
  disk.writeUInt16LE(0xaa55, SECTOR_BYTES - 2); // without this mark the firmware passes it by
  return disk;
}
