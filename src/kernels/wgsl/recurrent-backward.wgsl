// Gradients of recurrent.wgsl back through the whole sequence in one launch: dh_(t-1) = dgates_t W (+ what passes the gates by).
// Tiling: as there, four samples a workgroup; dh and dc are carried in the results dh0 and dc. A step first turns dh into the
// gradients of the gates (an invocation: a unit), which are results, and then, behind a barrier, multiplies them by W, WG of them
// at a time from workgroup memory. The weight's gradient is a product over all steps, made afterwards from what this writes.
// Traffic a step: the weight once a workgroup (from the cache); what forward wrote once; the gates' gradients three times.
import package::lib::nan;
const WG = 64;
const GATES = 4u;
const has_before = true;
const has_c0 = true;
const has_cells = true;
const has_dh = true;
const has_dc = true;

struct Params { steps: u32, batch: u32, hidden: u32, reversed: u32 }
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> gates: array<f32>;
@group(0) @binding(2) var<storage, read> cells: array<f32>;
// h_(t-1) of every step, where the cell wants it.
@group(0) @binding(3) var<storage, read> before: array<f32>;
@group(0) @binding(4) var<storage, read> c0: array<f32>;
// W: [GATES, hidden, hidden]
@group(0) @binding(5) var<storage, read> weight: array<f32>;
// Gradients of x, and of the sums h W^T where those differ (GRU).
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(7) var<storage, read_write> dh: array<f32>;
@group(0) @binding(8) var<storage, read_write> dh0: array<f32>;
// On entry the gradient of the last cells.
@group(0) @binding(9) var<storage, read_write> dc: array<f32>;
@group(0) @binding(10) var<uniform> p: Params;

var<workgroup> tile: array<vec4f, WG>;

struct Place {
  step: u32,
  carried: u32,  // in dh0, dc and c0
  gates: u32,    // of the first gate; the others are p.hidden apart
  now: u32,      // in dy and cells
  before: u32,   // the same, one step earlier
}

fn squash(v: f32) -> f32 { return 2.0 / (1.0 + exp_nan(-2.0 * v)) - 1.0; }

// Writes the gates' gradients from that of h_t; gives what reaches h_(t-1) past the gates.
fn cell(at: Place, d: f32) -> f32 {
  let i = gates[at.gates];
  let f = gates[at.gates + p.hidden];
  let g = gates[at.gates + 2u * p.hidden];
  let o = gates[at.gates + 3u * p.hidden];
  let c = squash(cells[at.now]);
  let d_cell = dc[at.carried] + d * o * (1.0 - c * c);
  var earlier = 0.0;
  if (at.step == 0u) { earlier = c0[at.carried]; } else { earlier = cells[at.before]; }
  dx[at.gates] = d_cell * g * i * (1.0 - i);
  dx[at.gates + p.hidden] = d_cell * earlier * f * (1.0 - f);
  dx[at.gates + 2u * p.hidden] = d_cell * i * (1.0 - g * g);
  dx[at.gates + 3u * p.hidden] = d * c * o * (1.0 - o);
  dc[at.carried] = d_cell * f;
  return 0.0;
}

// Of the sums h W^T.
fn sums_gradient(at: u32) -> f32 {
  if (has_dh) { return dh[at]; }
  return dx[at];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * 4u;
  let rows = min(4u, p.batch - row);
  let width = GATES * p.hidden;
  for (var unit = lane; unit < p.hidden; unit += u32(WG)) {
    for (var r = 0u; r < rows; r++) { dh0[(row + r) * p.hidden + unit] = 0.0; }
  }
  for (var left = p.steps; left > 0u; left--) {
    let s = left - 1u;
    let t = select(s, p.steps - 1u - s, p.reversed != 0u);
    let earlier = select(t - 1u, t + 1u, p.reversed != 0u);
    let sample = t * p.batch + row;
    for (var unit = lane; unit < p.hidden; unit += u32(WG)) {
      for (var r = 0u; r < rows; r++) {
        let carried = (row + r) * p.hidden + unit;
        let now = (sample + r) * p.hidden + unit;
        let place = Place(s, carried, (sample + r) * width + unit, now, (earlier * p.batch + row + r) * p.hidden + unit);
        dh0[carried] = cell(place, dy[now] + dh0[carried]);
      }
    }
    storageBarrier();
    for (var first = 0u; first < p.hidden; first += u32(WG)) {
      let unit = first + lane;
      var sum = vec4f();
      for (var q0 = 0u; q0 < width; q0 += u32(WG)) {
        workgroupBarrier();
        var d = vec4f();
        if (q0 + lane < width) {
          for (var r = 0u; r < rows; r++) { d[r] = sums_gradient((sample + r) * width + q0 + lane); }
        }
        tile[lane] = d;
        workgroupBarrier();
        if (unit < p.hidden) {
          let count = min(u32(WG), width - q0);
          var at = q0 * p.hidden + unit;
          for (var q = 0u; q < count; q++) {
            sum += weight[at] * tile[q];
            at += p.hidden;
          }
        }
      }
      if (unit < p.hidden) {
        for (var r = 0u; r < rows; r++) { dh0[(row + r) * p.hidden + unit] += sum[r]; }
      }
    }
  }
}
