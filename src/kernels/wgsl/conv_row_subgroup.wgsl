// Convolution with kernels three wide, stride 1 and padding 1 along the row, forward and input gradient alike: formula and
// meaning of the parameters as in conv_subgroup.wgsl, with step = div = 1, dil.y = +-1 and images_first = 0.
// Tiling: one subgroup is one workgroup: R rows by V*SG neighbouring positions, which hold whole rows of the map. A lane
// loads its positions' elements once for all three taps of a kernel row; the neighbours' come from other lanes by
// subgroupShuffle. Each accumulator takes its three multiply-adds in a row, so that it is touched a third as often.
// Traffic: (3*R/SG + V) loads for 3*R*V multiply-adds a lane. Needs subgroups of SG lanes; R is a multiple of SG.
enable subgroups;
// One subgroup is the whole workgroup, so what subgroupAny returns is uniform, which the analysis does not know.
diagnostic(off, subgroup_uniformity);

const SG = 8u;
const R = 16u;
const V = 4u;

struct Params {
  rows: u32, k: u32, batch: u32, has_bias: u32,
  kernel: vec2u, source: vec2u, dest: vec2u, step: vec2i,
  base: vec2i, dil: vec2i, div: vec2i,
  source_channels: u32, dest_channels: u32,
  w_row: u32, w_k: u32, w_group: u32, images_first: u32,
}
@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> dest: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let group = tile.z;
  let plane = p.source.x * p.source.y;
  let columns = p.batch * p.dest.x * p.dest.y;
  let row0 = tile.y * R;
  let col0 = tile.x * SG * V + lane;
  var image: array<u32, V>; // where the position's row starts in the source, for the tap in the middle
  var at_h: array<i32, V>;
  var first: array<bool, V>; // is the position the first or last of its row?
  var last: array<bool, V>;
  for (var v = 0u; v < V; v++) {
    let col = min(col0 + SG * v, columns - 1u);
    let n = col / (p.dest.x * p.dest.y);
    let q = col - n * p.dest.x * p.dest.y;
    let w = q % p.dest.y;
    image[v] = (n * p.source_channels + group * p.k) * plane + w;
    at_h[v] = i32(q / p.dest.y);
    first[v] = w == 0u;
    last[v] = w == p.dest.y - 1u;
  }
  // Where the tap that looks left, at the middle and right stands in a row of the weight.
  let left_tap = select(0u, 2u, p.dil.y < 0);

  var acc: array<array<f32, V>, R>;
  for (var th = 0u; th < p.kernel.x; th++) {
    let off_h = p.base.x + i32(th) * p.dil.x;
    var s_at: array<u32, V>;
    var inside: array<bool, V>;
    var any_inside = false;
    for (var v = 0u; v < V; v++) {
      let h = at_h[v] + off_h;
      inside[v] = u32(h) < p.source.x;
      any_inside |= inside[v];
      s_at[v] = image[v] + select(0u, u32(h), inside[v]) * p.source.y;
    }
    if (!subgroupAny(any_inside)) { continue; }
    var w_at: array<u32, R / SG>;
    for (var j = 0u; j < R / SG; j++) {
      w_at[j] = group * p.w_group + min(row0 + SG * j + lane, p.rows - 1u) * p.w_row + th * 3u;
    }
    for (var k = 0u; k < p.k; k++) {
      var middle: array<f32, V>;
      var before: array<f32, V>; // each lane's neighbour to the left within its group of SG, the last lane's for the first
      var after: array<f32, V>;
      for (var v = 0u; v < V; v++) {
        middle[v] = select(0.0, source[s_at[v] + k * plane], inside[v]);
        before[v] = subgroupShuffle(middle[v], (lane + SG - 1u) % SG);
        after[v] = subgroupShuffle(middle[v], (lane + 1u) % SG);
      }
      var left: array<f32, V>;
      var right: array<f32, V>;
      for (var v = 0u; v < V; v++) {
        // At the edge of a group of lanes the neighbour is in the next group; a tile's own edges are edges of the map.
        left[v] = select(select(before[v], before[(v + V - 1u) % V], lane == 0u), 0.0, first[v]);
        right[v] = select(select(after[v], after[(v + 1u) % V], lane == SG - 1u), 0.0, last[v]);
      }
      for (var j = 0u; j < R / SG; j++) {
        let w = w_at[j] + k * p.w_k;
        let mine_left = weight[w + left_tap];
        let mine = weight[w + 1u];
        let mine_right = weight[w + 2u - left_tap];
        for (var i = 0u; i < SG; i++) {
          let wl = subgroupShuffle(mine_left, i);
          let wm = subgroupShuffle(mine, i);
          let wr = subgroupShuffle(mine_right, i);
          for (var v = 0u; v < V; v++) {
            acc[j * SG + i][v] = fma(wr, right[v], fma(wm, middle[v], fma(wl, left[v], acc[j * SG + i][v])));
          }
        }
      }
    }
  }

  for (var v = 0u; v < V; v++) {
    let col = col0 + SG * v;
    if (col < columns) {
      let n = col / (p.dest.x * p.dest.y);
      let q = col - n * p.dest.x * p.dest.y;
      for (var i = 0u; i < R; i++) {
        let row = row0 + i;
        if (row < p.rows) {
          let channel = group * p.rows + row;
          let b = select(0.0, bias[channel * p.has_bias], p.has_bias != 0u);
          dest[(n * p.dest_channels + channel) * p.dest.x * p.dest.y + q] = acc[i][v] + b;
        }
      }
    }
  }
}
