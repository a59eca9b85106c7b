// Half precision on the host: the bits of f16 tensors and files as f32 values.

/** IEEE 754 half-precision bits as f32 values, exactly. */
export function halfToFloat(half: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(half.length);
  const bits = new Uint32Array(out.buffer);
  half.forEach((h, i) => {
    const sign = (h & 0x8000) << 16;
    const exponent = (h >> 10) & 0x1f;
    const mantissa = h & 0x3ff;
    if (exponent === 0) {
      out[i] = (sign ? -mantissa : mantissa) * 2 ** -24; // zero or subnormal
    } else {
      const wide = exponent === 0x1f ? 0xff : exponent + 112; // infinities and NaNs keep theirs
      bits[i] = sign | (wide << 23) | (mantissa << 13);
    }
  });
  return out;
}
