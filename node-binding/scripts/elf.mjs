// Reads what the scripts and tests ask of a binary, of whatever machine it is for: ELF files of 64 bits, little-endian.
import { readFileSync } from 'node:fs';

const DYNAMIC_SYMBOLS = 11;
const UNDEFINED = 0;

const text = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));

/** The file's sections by name, or nothing if it is not an ELF file. */
function sections(bytes) {
  if (bytes.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
  const table = Number(bytes.readBigUInt64LE(40));
  const size = bytes.readUInt16LE(58);
  const list = Array.from({ length: bytes.readUInt16LE(60) }, (_, index) => {
    const at = table + index * size;
    return {
      title: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
    };
  });
  const names = list[bytes.readUInt16LE(62)].offset;
  return new Map(list.map((section) => [text(bytes, names + section.title), section]));
}

/** What a loader and a debugger see of a file; nothing if it is not an ELF file. */
export function readElf(path) {
  const bytes = readFileSync(path);
  const found = sections(bytes);
  if (!found) return undefined;
  const strings = found.get('.dynstr');
  const symbols = found.get('.dynsym');
  const exported = [];
  for (let at = symbols.offset; symbols.type === DYNAMIC_SYMBOLS && at < symbols.offset + symbols.size; at += 24) {
    if (bytes.readUInt16LE(at + 6) !== UNDEFINED) exported.push(text(bytes, strings.offset + bytes.readUInt32LE(at)));
  }
  const words = bytes.toString('latin1', strings.offset, strings.offset + strings.size).split('\0');
  return {
    sections: [...found.keys()],
    stripped: !found.has('.symtab') && !found.has('.debug_line'),
    exports: exported.sort(),
    /** Versions of glibc that it asks for, as numbers behind `2.`. */
    glibc: words.filter((word) => /^GLIBC_2\./.test(word)).map((word) => Number(word.split('.')[1])),
  };
}
