// Weight gradient of a convolution as implicit GEMM: formula and parameters in lib/conv-weight.wgsl. Columns run over (t, ic),
// ic fastest.
// Tiling: a workgroup of 8 x 8 invocations computes 32 rows by 32 columns in steps of 16 positions; tiles of dy and x are
// staged in workgroup memory (lib/tiles.wgsl).
// Traffic: 2 * 32 * 16 loads for 32 * 32 * 16 multiply-adds a workgroup and step. Needs no subgroups.
import package::lib::conv_weight;
import package::lib::conv_reach;
import package::lib::tiles;

alias Value = f32;

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) me: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let split = tile.z / p.planes;
  let group = tile.z % p.planes;
  let taps = p.kernel.x * p.kernel.y;
  let columns = taps * p.channels;
  let row0 = tile.y * TILE;
  let first = tile.x * TILE;
  let x_plane = p.x_size.x * p.x_size.y;
  let y_plane = p.y_size.x * p.y_size.y;

  let mine = index % TILE;
  let my_col = min(first + mine, columns - 1u);
  let my_t = my_col / p.channels;
  let x_base = (group * p.channels + my_col - my_t * p.channels) * x_plane;
  let tap = looks(vec2u(my_t / p.kernel.y, my_t % p.kernel.y));
  let y_base = (group * p.rows + min(row0 + mine, p.rows - 1u)) * y_plane;

  let around = reach(first / p.channels, min(first + TILE - 1u, columns - 1u) / p.channels);
  let lo = around.low;
  let live = vec2u(max(around.high - lo + 1, vec2i(0)));
  let n0 = split * p.images;
  let steps = (min(n0 + p.images, p.batch) - n0) * live.x * live.y;

  var acc = Sums();
  for (var k0 = 0u; k0 < steps; k0 += DEPTH) {
    for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
      let k = k0 + i / TILE;
      let last = min(k, steps - 1u);
      let image = last / (live.x * live.y);
      let n = n0 + image;
      let q = last - image * live.x * live.y;
      let o = lo + vec2i(vec2u(q / live.y, q % live.y));
      let s = o * p.stride + tap;
      let inside = all(vec2u(s) < p.x_size);
      let x_at = n * p.x_channels * x_plane + x_base + select(0u, u32(s.x) * p.x_size.y + u32(s.y), inside);
      let y_at = n * p.y_channels * y_plane + y_base + u32(o.x) * p.y_size.y + u32(o.y);
      left[i] = select(0.0, dy[y_at], k < steps);
      right[i] = select(0.0, x[x_at], k < steps && inside);
    }
    multiply(&acc, me);
  }

  for (var j = 0u; j < EACH; j++) {
    let col = first + j * SIDE + me.x;
    for (var i = 0u; i < EACH; i++) {
      let row = row0 + i * SIDE + me.y;
      if (col < columns && row < p.rows) {
        dw[place(split, group * p.rows + row, col % p.channels, col / p.channels)] = acc[i][j];
      }
    }
  }
}
