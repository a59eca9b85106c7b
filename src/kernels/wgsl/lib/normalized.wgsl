// What is stored for value v of channel c: (v - mean) / std. The kernel's Params has mean and inv_std, for four channels: of
// more, all have the same.
fn normalized(v: f32, c: u32) -> f32 {
  let k = min(c, 3u);
  return (v - p.mean[k]) * p.inv_std[k];
}
