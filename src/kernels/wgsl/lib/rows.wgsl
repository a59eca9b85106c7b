// Row after row: a workgroup calls the kernel's `each_row(row, i)` in `rounds` rounds, also past the last row, since
// barriers may be in it. The kernel's Params have rounds besides what row.wgsl wants.
import package::lib::groups;
import package::lib::row;

fn group(index: u32, i: u32) {
  for (var round = 0u; round < p.rounds; round++) { each_row(row_of(index * p.rounds + round, i), i); }
}
