// A recurrent layer over a whole sequence in one launch: h_t = cell(x_t, h_(t-1) W^T), PyTorch's LSTM; `cell` and GATES are
// replaced for the others. x_t holds what the inputs contribute to the gates, biases included: a product over all steps, made
// before. Tiling: a workgroup takes four samples through all steps, one in each component of its vectors, with their h in
// workgroup memory; an invocation computes all gates of a unit, so that a weight is loaded once for four samples. Samples do
// not meet, so there is nothing to wait for between workgroups.
// Traffic a step: the weight once a workgroup (from the cache), x once, y, gates and cells once.
import package::lib::nan;
const WG = 64;
const GATES = 4u;
const UNITS = 1024u;
const has_bias = true;
const has_c0 = true;
const has_gates = true;
const has_cells = true;
const has_last = true;

struct Params { steps: u32, batch: u32, hidden: u32, reversed: u32 }
// [steps, batch, GATES, hidden]
@group(0) @binding(0) var<storage, read> x: array<f32>;
// W^T: [hidden, GATES, hidden]
@group(0) @binding(1) var<storage, read> weight: array<f32>;
// Of the sums h W^T: [GATES, hidden]
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> h0: array<f32>;
@group(0) @binding(4) var<storage, read> c0: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
// For the gradient: the gates' values, and LSTM's cells or what GRU's reset gate multiplies.
@group(0) @binding(6) var<storage, read_write> gates: array<f32>;
@group(0) @binding(7) var<storage, read_write> cells: array<f32>;
@group(0) @binding(8) var<storage, read_write> last: array<f32>;
@group(0) @binding(9) var<uniform> p: Params;

var<workgroup> state: array<vec4f, UNITS>;

struct Place {
  step: u32,
  rows: u32,     // samples there are, of four
  row: u32,      // the first one
  unit: u32,
  gates: u32,    // of the first gate in x and gates; the others are p.hidden apart
  now: u32,      // in y and cells
  before: u32,   // the same, one step earlier
}

fn exps(v: vec4f) -> vec4f { return vec4f(exp_nan(v.x), exp_nan(v.y), exp_nan(v.z), exp_nan(v.w)); }
fn sigmoid(v: vec4f) -> vec4f { return 1.0 / (1.0 + exps(-v)); }
// tanh, whose own form overflows on some drivers.
fn squash(v: vec4f) -> vec4f { return 2.0 / (1.0 + exps(-2.0 * v)) - 1.0; }

fn x_of(at: u32) -> vec4f {
  let s = GATES * p.hidden;
  return vec4f(x[at], x[at + s], x[at + 2u * s], x[at + 3u * s]);
}

fn keep(at: u32, rows: u32, v: vec4f) {
  for (var r = 0u; r < rows; r++) { gates[at + r * GATES * p.hidden] = v[r]; }
}

// h_t of a unit from the sums h_(t-1) W^T of its gates.
fn cell(at: Place, sums: array<vec4f, GATES>) -> vec4f {
  let i = sigmoid(x_of(at.gates) + sums[0]);
  let f = sigmoid(x_of(at.gates + p.hidden) + sums[1]);
  let g = squash(x_of(at.gates + 2u * p.hidden) + sums[2]);
  let o = sigmoid(x_of(at.gates + 3u * p.hidden) + sums[3]);
  keep(at.gates, at.rows, i);
  keep(at.gates + p.hidden, at.rows, f);
  keep(at.gates + 2u * p.hidden, at.rows, g);
  keep(at.gates + 3u * p.hidden, at.rows, o);
  var c = vec4f();
  for (var r = 0u; r < at.rows; r++) {
    if (at.step == 0u) { c[r] = c0[(at.row + r) * p.hidden + at.unit]; } else { c[r] = cells[at.before + r * p.hidden]; }
  }
  c = f * c + i * g;
  for (var r = 0u; r < at.rows; r++) {
    cells[at.now + r * p.hidden] = c[r];
    if (at.step + 1u == p.steps) { last[(at.row + r) * p.hidden + at.unit] = c[r]; }
  }
  return o * squash(c);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * 4u;
  let rows = min(4u, p.batch - row);
  for (var unit = lane; unit < p.hidden; unit += u32(WG)) {
    var h = vec4f();
    for (var r = 0u; r < rows; r++) { h[r] = h0[(row + r) * p.hidden + unit]; }
    state[unit] = h;
  }
  for (var s = 0u; s < p.steps; s++) {
    workgroupBarrier();
    let t = select(s, p.steps - 1u - s, p.reversed != 0u);
    let earlier = select(t - 1u, t + 1u, p.reversed != 0u);
    let sample = t * p.batch + row;
    for (var unit = lane; unit < p.hidden; unit += u32(WG)) {
      var sums = array<vec4f, GATES>();
      if (has_bias) {
        for (var g = 0u; g < GATES; g++) { sums[g] = vec4f(bias[g * p.hidden + unit]); }
      }
      var at = unit;
      for (var k = 0u; k < p.hidden; k++) {
        let h = state[k];
        for (var g = 0u; g < GATES; g++) {
          sums[g] += weight[at] * h;
          at += p.hidden;
        }
      }
      let now = sample * p.hidden + unit;
      let before = (earlier * p.batch + row) * p.hidden + unit;
      let h = cell(Place(s, rows, row, unit, sample * GATES * p.hidden + unit, now, before), sums);
      for (var r = 0u; r < rows; r++) { y[now + r * p.hidden] = h[r]; }
    }
    workgroupBarrier();
    // What this invocation wrote itself.
    for (var unit = lane; unit < p.hidden; unit += u32(WG)) {
      var h = vec4f();
      for (var r = 0u; r < rows; r++) { h[r] = y[(sample + r) * p.hidden + unit]; }
      state[unit] = h;
    }
  }
}
