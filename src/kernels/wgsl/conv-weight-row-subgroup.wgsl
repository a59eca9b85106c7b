// Weight gradient of a convolution with kernels three wide, stride 1 and padding 1 along the row:
//   dw[row, ic, th, tw] = sum over n, h, w of dy[n, row, h, w] * x[n, ic, h + off(th), w + tw - 1]
// with off(th) = th*dilation - padding; parameters as in lib/conv-weight.wgsl. Rows of the maps are multiples of four.
// The reduction runs through the images' vectors of four neighbouring positions, those rows of dy alone for which the
// tap's row lies inside x.
// Tiling: one subgroup is one workgroup: R rows by V*SG input channels, for the three taps of one row of the kernel. A lane
// loads one vector of dy for each H rows and V vectors of x; subgroupShuffle hands dy round. Each vector of x is loaded
// once for its three taps: the one before it is kept, the one behind it is loaded ahead. Each accumulator takes four
// multiply-adds in a row.
// Traffic: (R/H + V) vector loads for 12*R*V multiply-adds a lane. Needs subgroups of SG lanes.
import package::lib::conv_weight;
enable subgroups;

const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 1u;

alias Value = vec4f;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let split = tile.z / p.planes;
  let group = tile.z % p.planes / p.kernel.x;
  let th = tile.z % p.kernel.x; // planes are a multiple
  let row0 = tile.y * R;
  let ic0 = tile.x * SG * V + lane;
  let width = p.x_size.y / 4u; // of a row, in vectors
  let x_plane = p.x_size.x * width;
  let y_plane = p.y_size.x * width;

  // The rows of dy that the tap reaches from, and the vectors of an image in them.
  let off = i32(th) * p.dilation.x - p.padding.x;
  let h0 = max(-off, 0);
  let h1 = min(i32(p.y_size.x), i32(p.x_size.x) - off);
  let length = u32(max(h1 - h0, 0)) * width;

  // The images of this split.
  let n0 = split * p.images;
  let images = min(n0 + p.images, p.batch) - n0;

  var x_at = array<u32, V>();
  for (var c = 0u; c < V; c++) {
    x_at[c] = (n0 * p.x_channels + group * p.channels + min(ic0 + SG * c, p.channels - 1u)) * x_plane + u32(h0 + off) * width;
  }
  var y_at = array<u32, J>();
  for (var j = 0u; j < J; j++) {
    y_at[j] = (n0 * p.y_channels + group * p.rows + min(row0 + H * j + lane, p.rows - 1u)) * y_plane + u32(h0) * width;
  }
  let x_next = p.x_channels * x_plane - length; // from the end of an image's rows to the next image's
  let y_next = p.y_channels * y_plane - length;

  var acc = array<array<vec3f, V>, R>();
  var before = array<f32, V>();
  var ahead = array<vec4f, V>();
  for (var c = 0u; c < V; c++) { ahead[c] = x[x_at[c]]; }
  let steps = images * length;
  var w = 0u;
  var left_in_image = length;
  for (var s = 0u; s < steps; s++) {
    let first = w == 0u;
    w++;
    let last = w == width;
    if (last) { w = 0u; }
    left_in_image--;
    let jump = left_in_image == 0u;
    if (jump) { left_in_image = length; }
    var mine = array<vec4f, J>();
    for (var j = 0u; j < J; j++) {
      mine[j] = dy[y_at[j]];
      y_at[j] += 1u + select(0u, y_next, jump);
    }
    var middle = array<vec4f, V>();
    var left = array<vec4f, V>();
    var right = array<vec4f, V>();
    for (var c = 0u; c < V; c++) {
      let m = ahead[c];
      x_at[c] += 1u + select(0u, x_next, jump);
      ahead[c] = x[x_at[c]]; // behind the last one of all: another image's, or nothing; it is not used
      left[c] = vec4f(select(before[c], 0.0, first), m.xyz);
      middle[c] = m;
      right[c] = vec4f(m.yzw, select(ahead[c].x, 0.0, last));
      before[c] = m.w;
    }
    for (var j = 0u; j < J; j++) {
      for (var i = 0u; i < H; i++) {
        let d = subgroupShuffle(mine[j], i);
        for (var c = 0u; c < V; c++) {
          var a = acc[j * H + i][c];
          for (var e = 0u; e < 4u; e++) { a = fma(vec3f(d[e]), vec3f(left[c][e], middle[c][e], right[c][e]), a); }
          acc[j * H + i][c] = a;
        }
      }
    }
  }

  let to = (th + p.origin.x) * 3u;
  for (var c = 0u; c < V; c++) {
    let ic = ic0 + SG * c;
    if (ic < p.channels) {
      for (var i = 0u; i < R; i++) {
        if (row0 + i < p.rows) {
          let at = split * p.size + ((group * p.rows + row0 + i) * p.channels + ic) * p.full.x * 3u + to;
          for (var tw = 0u; tw < 3u; tw++) { dw[at + tw] = acc[i][c][tw]; }
        }
      }
    }
  }
}
