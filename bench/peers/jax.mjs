// jax-js, WebGPU backend. A function takes ownership of its arguments: `.ref` where one is used again.
import "./dawn.mjs";
import { labels, parameter, uniform } from "../support/formula.mjs";
import { serve } from "./protocol.mjs";
import { forward, layers, parameters } from "./resnet18.mjs";

const jax = await import("@jax-js/jax");
const { numpy: np, lax, nn, jit, vjp, valueAndGrad } = jax;
if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("jax-js did not take its WebGPU backend");
jax.defaultDevice("webgpu");

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const array = (data, shape) => np.array(data).reshape(shape);
const leaves = (tree) => jax.tree.leaves(tree);

/** A figure that computes one array from others. */
function figure(inputs, compute) {
  const once = () => compute(...inputs.map((t) => t.ref));
  return {
    async run(times) {
      let last = once();
      for (let i = 1; i < times; i++) {
        last.dispose();
        last = once();
      }
      await last.blockUntilReady();
      last.dispose();
    },
    values: () => once().data(),
    dispose() {
      for (const t of inputs) t.dispose();
      compute.dispose();
    },
  };
}

const convolve = (x, w, stride, padding) =>
  lax.convGeneralDilated(
    x,
    w,
    [stride, stride],
    [
      [padding, padding],
      [padding, padding],
    ],
  );

/** The gradient of a function of one argument. */
function gradient(f, x, dy) {
  const [y, back] = vjp(f, [x]);
  y.dispose();
  const [dx] = back(dy);
  return dx;
}

function conv({ pass, batch, channels, filters, size: s }) {
  const x = array(uniform(batch * channels * s * s, 1), [batch, channels, s, s]);
  const w = array(uniform(filters * channels * 9, 2, 0.05), [filters, channels, 3, 3]);
  if (pass === "forward")
    return figure(
      [x, w],
      jit((x, w) => convolve(x, w, 1, 1)),
    );
  const dy = array(uniform(batch * filters * s * s, 3), [batch, filters, s, s]);
  if (pass === "input")
    return figure(
      [x, w, dy],
      jit((x, w, dy) => gradient((x) => convolve(x, w, 1, 1), x, dy)),
    );
  return figure(
    [x, w, dy],
    jit((x, w, dy) => gradient((w) => convolve(x, w, 1, 1), w, dy)),
  );
}

function matmul({ size: n }) {
  const inputs = [1, 2].map((seed) => array(uniform(n * n, seed), [n, n]));
  return figure(
    inputs,
    jit((a, b) => np.matmul(a, b)),
  );
}

const perChannel = (t) => t.reshape([1, t.shape[0], 1, 1]);

/** Batch statistics: y, mean and biased variance. */
function normalize(x, gamma, beta) {
  const options = { keepdims: true };
  const mean = np.mean(x.ref, [0, 2, 3], options);
  const centred = x.sub(mean.ref);
  const variance = np.mean(np.square(centred.ref), [0, 2, 3], options);
  const scale = perChannel(gamma).div(np.sqrt(variance.ref.add(1e-5)));
  return [centred.mul(scale).add(perChannel(beta)), mean, variance];
}

function batchNorm({ shape }) {
  const [, channels] = shape;
  const [x, dy] = [1, 2].map((seed) => array(uniform(size(shape), seed), shape));
  const [gamma, beta] = [3, 4].map((seed) => array(uniform(channels, seed), [channels]));
  const f = (x, gamma, beta) => {
    const [y, mean, variance] = normalize(x, gamma, beta);
    mean.dispose();
    variance.dispose();
    return y;
  };
  // All three gradients and y are results, so that none is left out.
  const compute = jit((x, gamma, beta, dy) => {
    const [y, back] = vjp(f, [x, gamma, beta]);
    return [y, ...back(dy)];
  });
  const inputs = [x, gamma, beta, dy];
  const once = () => compute(...inputs.map((t) => t.ref));
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const out = once();
        if (i === times - 1) await jax.blockUntilReady(out);
        for (const t of out) t.dispose();
      }
    },
    async values() {
      const [y, dx, ...rest] = once();
      for (const t of [y, ...rest]) t.dispose();
      return dx.data();
    },
    dispose() {
      for (const t of inputs) t.dispose();
      compute.dispose();
    },
  };
}

const weights = () =>
  Object.fromEntries(parameters.map(({ name, shape }, i) => [name, array(parameter(name, shape, i + 1), shape)]));
const statistics = () =>
  Object.fromEntries(
    layers.flatMap(({ norm, channels }) => [
      [`${norm}.mean`, np.zeros([channels])],
      [`${norm}.variance`, np.ones([channels])],
    ]),
  );

/** Logits; in training `moved` receives the running statistics. */
function model(p, running, x, moved) {
  return forward(
    {
      share: (t) => t.ref,
      add: (a, b) => a.add(b),
      relu: nn.relu,
      // Zeros do as padding: what comes in is not negative.
      stemPool: (t) =>
        lax.reduceWindow(
          np.pad(t, [
            [0, 0],
            [0, 0],
            [1, 1],
            [1, 1],
          ]),
          (window) => np.max(window),
          [1, 1, 3, 3],
          [1, 1, 2, 2],
        ),
      head: (t) => np.matmul(np.mean(t, [2, 3]), np.transpose(p["fc.weight"].ref)).add(p["fc.bias"].ref),
      convNorm(t, { conv: name, norm, stride, padding, channels }) {
        const z = convolve(t, p[`${name}.weight`].ref, stride, padding);
        const [gamma, beta] = ["weight", "bias"].map((kind) => p[`${norm}.${kind}`].ref);
        const [mean, variance] = ["mean", "variance"].map((kind) => running[`${norm}.${kind}`].ref);
        if (!moved) {
          const scale = gamma.div(np.sqrt(variance.add(1e-5)));
          const shift = beta.sub(mean.mul(scale.ref));
          return z.mul(perChannel(scale)).add(perChannel(shift));
        }
        const n = size(z.shape) / channels;
        const [y, batchMean, batchVariance] = normalize(z, gamma, beta);
        moved[`${norm}.mean`] = mean.mul(0.9).add(batchMean.reshape([channels]).mul(0.1));
        moved[`${norm}.variance`] = variance.mul(0.9).add(batchVariance.reshape([channels]).mul((0.1 * n) / (n - 1)));
        return y;
      },
    },
    x,
  );
}

const release = (tree) => {
  for (const t of leaves(tree)) t.dispose();
};

const images = (batch) => array(uniform(batch * 3 * 32 * 32, 1000), [batch, 3, 32, 32]);

function train({ batch }) {
  const x = images(batch);
  const y = np.array(labels(batch, 1001, 10));
  const lossOf = (p, running, x, y) => {
    const moved = {};
    const logits = model(p, running, x, moved);
    release(p);
    release(running);
    const picked = nn.logSoftmax(logits, 1).mul(nn.oneHot(y, 10));
    return [np.sum(picked).mul(-1 / batch), moved];
  };
  const [beta1, beta2] = [0.9, 0.999];
  const stepped = jit((state, x, y, stepSize, scale) => {
    const { p, m, v, running } = state;
    const kept = Object.fromEntries(Object.entries(p).map(([name, t]) => [name, t.ref]));
    const [[loss, moved], gradients] = valueAndGrad(lossOf, { hasAux: true })(kept, running, x, y);
    const next = { p: {}, m: {}, v: {}, running: moved };
    for (const name of Object.keys(p)) {
      const g = gradients[name];
      next.m[name] = m[name].mul(beta1).add(g.ref.mul(1 - beta1));
      next.v[name] = v[name].mul(beta2).add(np.square(g).mul(1 - beta2));
      const denominator = np.sqrt(next.v[name].ref).mul(scale.ref).add(1e-8);
      next.p[name] = p[name].sub(next.m[name].ref.mul(stepSize.ref).div(denominator));
    }
    stepSize.dispose();
    scale.dispose();
    return [loss, next];
  });
  const zeros = () => Object.fromEntries(parameters.map(({ name, shape }) => [name, np.zeros(shape)]));
  let state = { p: weights(), m: zeros(), v: zeros(), running: statistics() };
  let t = 0;
  const once = () => {
    t++;
    const stepSize = np.array(1e-3 / (1 - beta1 ** t));
    const scale = np.array(1 / Math.sqrt(1 - beta2 ** t));
    const [loss, next] = stepped(state, x.ref, y.ref, stepSize, scale);
    state = next;
    return loss;
  };
  return {
    async step() {
      const loss = once();
      await jax.blockUntilReady(state);
      return (await loss.data())[0];
    },
    async run(times) {
      for (let i = 0; i < times; i++) once().dispose();
      await jax.blockUntilReady(state);
    },
    dispose() {
      release(state);
      x.dispose();
      y.dispose();
      stepped.dispose();
    },
  };
}

function infer({ batch }) {
  const p = weights();
  const running = statistics();
  const compute = jit((p, running, x) => {
    const logits = model(p, running, x, null);
    release(p);
    release(running);
    return logits;
  });
  const share = (tree) => Object.fromEntries(Object.entries(tree).map(([name, t]) => [name, t.ref]));
  const bound = (x) => compute(share(p), share(running), x);
  bound.dispose = () => compute.dispose();
  const f = figure([images(batch)], bound);
  return {
    ...f,
    dispose() {
      f.dispose();
      release(p);
      release(running);
    },
  };
}

await serve({ conv, matmul, batchNorm, train, infer });
