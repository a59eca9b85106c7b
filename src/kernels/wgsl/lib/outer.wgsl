// Sums of outer products in the registers of one subgroup of SG lanes, which is the whole workgroup: R rows by V columns a lane.
// A lane holds one element of the left factor for each H rows, and V of the right one; subgroupShuffle hands the left ones
// round. U products an iteration: each accumulator takes its multiply-adds in a row, so that it is touched U times less often.
const SG = 8u;
const R = 16u;
// Rows that one load of each lane provides, and such loads.
const H = min(SG, R);
const J = R / H;
const V = 4u;
const U = 2u;

alias Sums = array<array<f32, V>, R>;
alias Columns = array<array<f32, V>, U>;
alias Rows = array<array<f32, U>, J>;

fn multiply(acc: ptr<function, Sums>, mine: ptr<function, Rows>, column: ptr<function, Columns>) {
  for (var j = 0u; j < J; j++) {
    for (var i = 0u; i < H; i++) {
      var row = array<f32, U>();
      for (var u = 0u; u < U; u++) { row[u] = subgroupShuffle((*mine)[j][u], i); }
      for (var v = 0u; v < V; v++) {
        for (var u = 0u; u < U; u++) { (*acc)[j * H + i][v] = fma(row[u], (*column)[u][v], (*acc)[j * H + i][v]); }
      }
    }
  }
}
