import { capture, defineOp, gradcheck, grid1d, init, kernel, randn, type Tensor } from "wgrad";

// y = x s with s = 1 / (1 + exp(-beta x)); where there is a dy, the gradient: dy s (1 + beta x (1 - s)).
const wgsl = `
  const has_dy = true;
  struct Params { n: u32, beta: f32 }
  @group(0) @binding(0) var<storage, read> x: array<f32>;
  @group(0) @binding(1) var<storage, read> dy: array<f32>;
  @group(0) @binding(2) var<storage, read_write> y: array<f32>;
  @group(0) @binding(3) var<uniform> p: Params;
  @compute @workgroup_size(64)
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * 64u;
    if (i >= p.n) { return; }
    let s = 1.0 / (1.0 + exp(-p.beta * x[i]));
    if (has_dy) { y[i] = dy[i] * s * (1.0 + p.beta * x[i] * (1.0 - s)); } else { y[i] = x[i] * s; }
  }`;
const k = kernel("swish", wgsl); // its buffers and parameters have types: TypeScript reads the text, too
const gradient = defineOp<[x: Tensor, dy: Tensor], { beta: number }>({
  name: "swishBackward",
  infer: ([x]) => [x],
  forward: (run, [x, dy], [y], { beta }) => k.launch(run, { x, dy, y }, { n: x.numel, beta }, grid1d(x.numel, 64)),
  vjp: "not differentiable",
});
const swish = defineOp<[x: Tensor], { beta: number }>({
  name: "swish",
  infer: ([x]) => [x],
  forward: (run, [x], [y], { beta }) => k.launch(run, { x, dy: null, y }, { n: x.numel, beta }, grid1d(x.numel, 64)),
  vjp: ([dy], c) => [gradient(c.input(0), dy, c.attrs)],
});

await init();
const x = randn([1000], { requiresGrad: true });
console.log(`gradient as by differences: ${await gradcheck((x) => swish(x, { beta: 1.5 }), x)}`);
const step = capture((x: Tensor) => swish(x, { beta: 1.5 }).mean());
for (const scale of [1, 2, 3]) console.log(`mean of swish(${scale} x): ${await step(x.mul(scale)).item()}`);
