// Pictures of the page have few colours: with a palette of 256 they weigh a
// third. Written by hand, because no package is worth these lines.
import * as zlib from "node:zlib";

/** palette writes pixels (RGBA) as a PNG with at most 256 colours: the most frequent ones, and the nearest of them for the rest. */
export function palette(width, height, rgba) {
  const key = i => ((rgba[i] >> 2) << 12) | ((rgba[i + 1] >> 2) << 6) | (rgba[i + 2] >> 2);
  const seen = new Map(); // reduced colour → [count, r, g, b] of one that has it
  for (let i = 0; i < rgba.length; i += 4) {
    const known = seen.get(key(i));
    if (known) known[0]++;
    else seen.set(key(i), [1, rgba[i], rgba[i + 1], rgba[i + 2]]);
  }
  const colours = [...seen.values()].sort((a, b) => b[0] - a[0]).slice(0, 256);
  const nearest = new Map();
  for (const [k, [, r, g, b]] of seen) {
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    colours.forEach(([, cr, cg, cb], at) => {
      const far = (r - cr) ** 2 + (g - cg) ** 2 + (b - cb) ** 2;
      if (far < least) [least, best] = [far, at];
    });
    nearest.set(k, best);
  }
  const lines = Buffer.alloc((width + 1) * height); // each line begins with its filter: 0, none
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) lines[y * (width + 1) + 1 + x] = nearest.get(key((y * width + x) * 4));
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits, palette
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", Buffer.from(colours.flatMap(c => c.slice(1)))),
    chunk("IDAT", zlib.deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

// crc is zlib's, or the same by hand where Node.js has none (before 20.15).
function crc(bytes) {
  if (zlib.crc32) return zlib.crc32(bytes);
  let c = -1;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}
