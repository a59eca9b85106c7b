// The walk over an image's pixels: calls the kernel's `each(n, i, row, column)` for every p.stride-th pixel i of image n's
// p.height x p.width from `first` on. Row and column advance by p.stride_y and p.stride_x, with a carry.
fn walk_pixels(n: u32, first: u32) {
  var row = first / p.width;
  var column = first - row * p.width;
  for (var i = first; i < p.height * p.width; i += p.stride) {
    each(n, i, row, column);
    row += p.stride_y;
    column += p.stride_x;
    if (column >= p.width) {
      column -= p.width;
      row++;
    }
  }
}
