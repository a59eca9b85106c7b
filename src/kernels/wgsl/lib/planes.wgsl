// The walk of a pooling kernel over p.positions = [planes, p.span.x rows, p.span.y columns]: calls the kernel's
// `each(o, plane, row, column)` for every one, o counting them all. An invocation takes p.per of them, WG apart, and advances
// by carries instead of dividing anew: p.step is what WG positions further on means in planes, rows and columns.
// See src/kernels/plane-plan.ts.
const WG = 64u;

// How many rows and columns the kernel's inner loops go over, at most: p.turns, or constants in a variant for few, so that the
// loops unroll. On a software adapter a turn of a loop costs as much as several loads.
const ROWS = 0u;
const COLUMNS = 0u;
fn rows() -> u32 { return select(ROWS, p.turns.x, ROWS == 0u); }
fn columns() -> u32 { return select(COLUMNS, p.turns.y, COLUMNS == 0u); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.x + group.y * groups.x) * WG * p.per + lane;
  let row_index = first / p.span.y;
  var plane = row_index / p.span.x;
  var row = row_index - plane * p.span.x;
  var column = first - row_index * p.span.y;
  let end = min(first + p.per * WG, p.positions);
  for (var o = first; o < end; o += WG) {
    each(o, plane, row, column);
    column += p.step.z;
    row += p.step.y;
    plane += p.step.x;
    if (column >= p.span.y) {
      column -= p.span.y;
      row++;
    }
    if (row >= p.span.x) {
      row -= p.span.x;
      plane++;
    }
  }
}
