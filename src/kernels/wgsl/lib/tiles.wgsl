// Sums of outer products through tiles in workgroup memory, for adapters without subgroups: a workgroup of SIDE x SIDE
// invocations computes TILE x TILE sums in steps of DEPTH, and an invocation holds EACH x EACH of them.
const TILE = 32u;
const DEPTH = 16u;
const SIDE = 8u;
const EACH = TILE / SIDE;

var<workgroup> left: array<f32, TILE * DEPTH>; // [step][row]
var<workgroup> right: array<f32, TILE * DEPTH>; // [step][column]

alias Sums = array<array<f32, EACH>, EACH>;

// Adds the products of the two tiles, which the invocations have just filled.
fn multiply(acc: ptr<function, Sums>, me: vec3u) {
  workgroupBarrier();
  for (var k = 0u; k < DEPTH; k++) {
    var column = array<f32, EACH>();
    for (var j = 0u; j < EACH; j++) { column[j] = right[k * TILE + j * SIDE + me.x]; }
    for (var i = 0u; i < EACH; i++) {
      let row = left[k * TILE + i * SIDE + me.y];
      for (var j = 0u; j < EACH; j++) { (*acc)[i][j] = fma(row, column[j], (*acc)[i][j]); }
    }
  }
  workgroupBarrier();
}
