// Convolution, forward and input gradient alike: formula and parameters in lib/conv.wgsl.
// Tiling: a workgroup of 8 x 8 invocations computes 32 rows by 32 positions in steps of 16 channels for each live tap;
// tiles of weight and source are staged in workgroup memory (lib/tiles.wgsl).
// Traffic: 2 * 32 * 16 loads for 32 * 32 * 16 multiply-adds a workgroup and step. Needs no subgroups.
import package::lib::conv;
import package::lib::epilogue;
import package::lib::tiles;

alias Value = f32;

fn activated(v: Value) -> Value { return activate(v); }

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) me: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let div = vec2u(p.div);
  let group = tile.z / (div.x * div.y);
  let phase = vec2u(tile.z / div.y % div.x, tile.z % div.y);
  let grid = (p.dest - phase + div - 1u) / div;
  let columns = p.batch * grid.x * grid.y;
  if (tile.x * TILE >= columns) { return; }
  let row0 = tile.y * TILE;
  let col0 = tile.x * TILE;
  let plane = p.source.x * p.source.y;

  // The column and row that this invocation loads: SIDE * SIDE is a multiple of TILE, so they do not change.
  let mine = index % TILE;
  let col = min(col0 + mine, columns - 1u);
  let n = col / (grid.x * grid.y);
  let q = col - n * grid.x * grid.y;
  let image = (n * p.source_channels + group * p.k) * plane;
  let at = vec2i(vec2u(q / grid.y, q % grid.y)) * p.step;
  let w_row = group * p.w_group + min(row0 + mine, p.rows - 1u) * p.w_row;

  var acc = Sums();
  for (var t = 0u; t < p.kernel.x * p.kernel.y; t++) {
    let num = vec2i(phase) + p.base + vec2i(vec2u(t / p.kernel.y, t % p.kernel.y)) * p.dil;
    let off = num / p.div;
    let live = all(num == off * p.div) && all(off < vec2i(p.source)) && all(off + (vec2i(grid) - 1) * p.step >= vec2i(0));
    let s = at + off;
    let inside = all(vec2u(s) < p.source);
    let s_at = image + select(0u, u32(s.x) * p.source.y + u32(s.y), inside);
    for (var k0 = 0u; live && k0 < p.k; k0 += DEPTH) {
      for (var i = index; i < TILE * DEPTH; i += SIDE * SIDE) {
        let k = k0 + i / TILE;
        let last = min(k, p.k - 1u);
        left[i] = select(0.0, weight[w_row + t + last * p.w_k], k < p.k);
        right[i] = select(0.0, source[s_at + last * plane], k < p.k && inside);
      }
      multiply(&acc, me);
    }
  }

  for (var j = 0u; j < EACH; j++) {
    let c = col0 + j * SIDE + me.x;
    if (c < columns) {
      let cn = c / (grid.x * grid.y);
      let cq = c - cn * grid.x * grid.y;
      let to = vec2u(cq / grid.y, cq % grid.y) * div + phase;
      for (var i = 0u; i < EACH; i++) {
        let row = row0 + i * SIDE + me.y;
        if (row < p.rows) {
          let channel = group * p.rows + row;
          let at = ((cn * p.dest_channels + channel) * p.dest.x + to.x) * p.dest.y + to.y;
          dest[at] = finish(acc[i][j], affine(channel), at);
        }
      }
    }
  }
}
