// values[r, s], indices[r, s]: the s-th best element of row r of x and its position, s < k; `before` says which of two is
// better, and among equals the lower position is. Each of the k rounds looks for the best one after the previous.
// A team of LANES invocations takes a row and meets in workgroup memory. Traffic: rows * k * length loads.
alias T = f32;
const WG = 64u;
const LANES = 64u;

struct Params { rows: u32, k: u32, length: u32, inner: u32 }
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> values: array<T>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> p: Params;

const NONE = 0xffffffffu;
var<workgroup> best_value: array<T, WG>;
var<workgroup> best_index: array<u32, WG>;

fn before(a: T, b: T) -> bool { return a > b; }

// Position i with value a comes before position j with value b; NONE comes last.
fn better(a: T, i: u32, b: T, j: u32) -> bool {
  return j == NONE || (i != NONE && (before(a, b) || (a == b && i < j)));
}

@compute @workgroup_size(WG)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  let team = (group.x + group.y * groups.x) * (WG / LANES) + local / LANES;
  let lane = local % LANES;
  let head = local - lane;
  let live = team < p.rows;
  let length = select(0u, p.length, live);
  // Row r = (o, c) of a tensor [outer, length, inner].
  let o = team / p.inner;
  let c = team - o * p.inner;
  let base = o * p.length * p.inner + c;
  var last_value = T(0);
  var last_index = NONE;
  for (var s = 0u; s < p.k; s++) {
    var value = T(0);
    var index = NONE;
    for (var j = lane; j < length; j += LANES) {
      let v = x[base + j * p.inner];
      let fresh = last_index == NONE || (j != last_index && better(last_value, last_index, v, j));
      if (fresh && better(v, j, value, index)) {
        value = v;
        index = j;
      }
    }
    best_value[local] = value;
    best_index[local] = index;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half && better(best_value[local + half], best_index[local + half], best_value[local], best_index[local])) {
        best_value[local] = best_value[local + half];
        best_index[local] = best_index[local + half];
      }
    }
    workgroupBarrier();
    last_value = best_value[head];
    last_index = best_index[head];
    workgroupBarrier();
    if (lane == 0u && live) {
      let at = (o * p.k + s) * p.inner + c;
      values[at] = last_value;
      indices[at] = i32(last_index);
    }
  }
}
