// Convolution with kernels three wide, stride 1 and padding 1 along the row, forward and input gradient alike: formula and
// parameters in lib/conv.wgsl, with step = div = 1, dil.y = +-1 and images_first = 0. Rows of the
// maps are multiples of four.
// Tiling: one subgroup is one workgroup: R rows by V*SG vectors of four neighbouring positions. A lane loads its vectors
// once for all three taps of a kernel row; what lies beside them comes from other lanes by subgroupShuffle or, with EDGES,
// where a row of the map goes on outside the lanes' vectors, from memory. Each accumulator takes its three multiply-adds
// in a row, so that it is touched a third as often.
// Traffic: 3*R/H loads and V vector loads for 12*R*V multiply-adds a lane. Needs subgroups of SG lanes.
import package::lib::conv;
import package::lib::epilogue;
enable subgroups;
// One subgroup is the whole workgroup, so what subgroupAny returns is uniform, which the analysis does not know.
diagnostic(off, subgroup_uniformity);

const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 1u;
// Whether the SG vectors side by side may end inside a row of the map.
const EDGES = false;

alias Value = vec4f;

fn activated(v: Value) -> Value { return vec4f(activate(v.x), activate(v.y), activate(v.z), activate(v.w)); }

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let group = tile.z;
  let width = p.dest.y / 4u; // of a row, in vectors
  let plane = p.source.x * width;
  let dest_plane = p.dest.x * width;
  let columns = p.batch * dest_plane;
  let row0 = tile.y * R;
  let col0 = tile.x * SG * V + lane;
  var image = array<u32, V>(); // where the vector stands in the source, were its row the first
  var at_h = array<i32, V>();
  var first = array<bool, V>(); // is the vector the first or last of its row?
  var last = array<bool, V>();
  for (var q = 0u; q < V; q++) {
    let col = min(col0 + SG * q, columns - 1u);
    let n = col / dest_plane;
    let at = col - n * dest_plane;
    let h = at / width;
    let w = at - h * width;
    image[q] = (n * p.source_channels + group * p.k) * plane + w;
    at_h[q] = i32(h);
    first[q] = w == 0u;
    last[q] = w == width - 1u;
  }
  // Where the tap that looks left, and right, stands in a row of the weight.
  let left_tap = select(0u, 2u, p.dil.y < 0);
  let before_lane = (lane + SG - 1u) % SG;
  let after_lane = (lane + 1u) % SG;

  var acc = array<array<vec4f, V>, R>();
  for (var th = 0u; th < p.kernel.x; th++) {
    let off_h = p.base.x + i32(th) * p.dil.x;
    var s_at = array<u32, V>();
    var inside = array<bool, V>();
    var any_inside = false;
    for (var q = 0u; q < V; q++) {
      let h = at_h[q] + off_h;
      inside[q] = u32(h) < p.source.x;
      any_inside |= inside[q];
      s_at[q] = image[q] + select(0u, u32(h), inside[q]) * width;
    }
    if (!subgroupAny(any_inside)) { continue; }
    var w_at = array<u32, J>();
    for (var j = 0u; j < J; j++) {
      w_at[j] = group * p.w_group + min(row0 + H * j + lane, p.rows - 1u) * p.w_row + th * 3u;
    }
    for (var k = 0u; k < p.k; k++) {
      var left = array<vec4f, V>();
      var middle = array<vec4f, V>();
      var right = array<vec4f, V>();
      for (var q = 0u; q < V; q++) {
        let at = s_at[q] + k * plane;
        let m = select(vec4f(), source[at], inside[q]);
        var before = subgroupShuffle(m.w, before_lane);
        var after = subgroupShuffle(m.x, after_lane);
        if (EDGES) {
          // Not under an `if`: some drivers then move the shuffles into the branch.
          let beside = source[select(at + 1u, at - 1u, lane == 0u)][select(0u, 3u, lane == 0u)];
          before = select(before, select(0.0, beside, inside[q]), lane == 0u);
          after = select(after, select(0.0, beside, inside[q]), lane == SG - 1u);
        }
        left[q] = vec4f(select(before, 0.0, first[q]), m.xyz);
        middle[q] = m;
        right[q] = vec4f(m.yzw, select(after, 0.0, last[q]));
      }
      for (var j = 0u; j < J; j++) {
        let w = w_at[j] + k * p.w_k;
        let mine_left = weight[w + left_tap];
        let mine = weight[w + 1u];
        let mine_right = weight[w + 2u - left_tap];
        for (var i = 0u; i < H; i++) {
          let wl = vec4f(subgroupShuffle(mine_left, i));
          let wm = vec4f(subgroupShuffle(mine, i));
          let wr = vec4f(subgroupShuffle(mine_right, i));
          for (var q = 0u; q < V; q++) {
            acc[j * H + i][q] = fma(wr, right[q], fma(wm, middle[q], fma(wl, left[q], acc[j * H + i][q])));
          }
        }
      }
    }
  }

  var to = array<u32, V>();
  for (var q = 0u; q < V; q++) {
    let col = col0 + SG * q;
    let n = col / dest_plane;
    to[q] = (n * p.dest_channels + group * p.rows) * dest_plane + col - n * dest_plane;
  }
  for (var i = 0u; i < R; i++) {
    let row = row0 + i;
    if (row < p.rows) {
      let scale = affine(group * p.rows + row);
      for (var q = 0u; q < V; q++) {
        let at = to[q] + row * dest_plane;
        if (col0 + SG * q < columns) { dest[at] = finish(acc[i][q], scale, at); }
      }
    }
  }
}
