/** A text as a QR code: the path of its dark modules in a square of `size` modules, margin included. */
import { encodeQR } from 'qr';

/** The light modules around a code (ISO/IEC 18004). */
const MARGIN = 4;

export interface QrCode {
  size: number;
  path: string;
}

/** `undefined` for a text that is too long for one. */
export function qrCode(text: string): QrCode | undefined {
  let rows: boolean[][];
  try {
    rows = encodeQR(text, 'raw', { ecc: 'medium', border: MARGIN });
  } catch {
    return undefined;
  }
  const modules = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size: rows.length, path: modules.join('') };
}
