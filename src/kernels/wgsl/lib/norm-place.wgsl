// Where the weight and bias of a row's elements stand: by their place in the row, or, GROUPED, by channel, the row being `width`
// channels of `plane` elements. Counted from step to step without a division. The kernel's Params have groups, width, plane
// besides what rows.wgsl wants.
import package::lib::row;
const GROUPED = false;

struct Place { c: u32, rest: u32, steps: u32, more: u32 }

fn first_place(row: Row) -> Place {
  if (!GROUPED) { return Place(row.lane, 0u, p.lanes, 0u); }
  let first = (row.index % p.groups) * p.width;
  return Place(first + row.lane / p.plane, row.lane % p.plane, p.lanes / p.plane, p.lanes % p.plane);
}

fn next_place(place: Place) -> Place {
  var next = place;
  next.c += place.steps;
  if (GROUPED) {
    next.rest += place.more;
    let over = next.rest >= p.plane;
    next.c += select(0u, 1u, over);
    next.rest -= select(0u, p.plane, over);
  }
  return next;
}
