// TensorFlow.js, WebGPU backend. NHWC and HWIO: its NCHW convolution gives wrong results on this adapter.
import "./dawn.mjs";
import { labels, parameter, uniform } from "../support/formula.mjs";
import { serve } from "./protocol.mjs";
import { forward, layers, parameters } from "./resnet18.mjs";

const tf = await import("@tensorflow/tfjs");
await import("@tensorflow/tfjs-backend-webgpu");
if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js did not take its WebGPU backend");
await tf.ready();

async function sync() {
  const backend = tf.backend();
  // Commands wait for a batch to fill, or a read: there is no public way to send them off.
  if (backend.commandEncoder) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  await backend.queue.onSubmittedWorkDone();
}

const nhwc = (data, shape) => tf.tidy(() => tf.transpose(tf.tensor(data, shape), [0, 2, 3, 1]));
const hwio = (data, shape) => tf.tidy(() => tf.transpose(tf.tensor(data, shape), [2, 3, 1, 0]));
const size = (shape) => shape.reduce((a, b) => a * b, 1);

/** A figure that computes one tensor; `order` puts its dimensions into PyTorch's order. */
function figure(inputs, compute, order) {
  return {
    async run(times) {
      for (let i = 0; i < times; i++) tf.dispose(tf.tidy(compute));
      await sync();
    },
    async values() {
      const y = tf.tidy(() => (order ? tf.transpose(compute(), order) : compute()));
      const data = await y.data();
      y.dispose();
      return data;
    },
    dispose: () => tf.dispose(inputs),
  };
}

function conv({ pass, batch, channels, filters, size: s }) {
  const [xs, ws, ys] = [
    [batch, channels, s, s],
    [filters, channels, 3, 3],
    [batch, filters, s, s],
  ];
  const x = nhwc(uniform(size(xs), 1), xs);
  const w = hwio(uniform(size(ws), 2, 0.05), ws);
  const dy = nhwc(uniform(size(ys), 3), ys);
  const attrs = { strides: [1, 1], pad: 1, dataFormat: "NHWC", dimRoundingMode: undefined };
  const run = (name, tensors, more) => tf.engine().runKernel(name, tensors, { ...attrs, ...more });
  const compute = {
    forward: () => tf.conv2d(x, w, 1, 1),
    input: () => run("Conv2DBackpropInput", { dy, filter: w }, { inputShape: x.shape }),
    weight: () => run("Conv2DBackpropFilter", { x, dy }, { filterShape: w.shape }),
  }[pass];
  return figure([x, w, dy], compute, pass === "weight" ? [3, 2, 0, 1] : [0, 3, 1, 2]);
}

function matmul({ size: n }) {
  const [a, b] = [1, 2].map((seed) => tf.tensor(uniform(n * n, seed), [n, n]));
  return figure([a, b], () => tf.matMul(a, b));
}

const normalize = (x, gamma, beta) => {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return { y: tf.batchNorm(x, mean, variance, beta, gamma, 1e-5), mean, variance };
};

function batchNorm({ shape }) {
  const channels = shape[1];
  const x = nhwc(uniform(size(shape), 1), shape);
  const dy = nhwc(uniform(size(shape), 2), shape);
  const [gamma, beta] = [3, 4].map((seed) => tf.tensor(uniform(channels, seed), [channels]));
  const gradients = tf.grads((...args) => normalize(...args).y);
  return figure([x, dy, gamma, beta], () => gradients([x, gamma, beta], dy)[0], [0, 3, 1, 2]);
}

/** Variables by torchvision's names, running statistics by norm. */
function resnet18() {
  const variables = new Map();
  for (const [i, { name, shape }] of parameters.entries()) {
    const data = parameter(name, shape, i + 1);
    const value = shape.length === 4 ? hwio(data, shape) : tf.tensor(data, shape);
    variables.set(name, tf.variable(value, true));
    value.dispose();
  }
  const statistics = new Map(
    layers.map(({ norm, channels }) => [
      norm,
      { mean: tf.variable(tf.zeros([channels]), false), variance: tf.variable(tf.ones([channels]), false) },
    ]),
  );
  const model = (x, training) =>
    forward(
      {
        share: (t) => t,
        add: tf.add,
        relu: tf.relu,
        stemPool: (t) => tf.maxPool(t, 3, 2, 1),
        head: (t) =>
          tf.matMul(tf.mean(t, [1, 2]), variables.get("fc.weight"), false, true).add(variables.get("fc.bias")),
        convNorm(t, { conv: name, norm, stride, padding }) {
          const z = tf.conv2d(t, variables.get(`${name}.weight`), stride, padding);
          const [gamma, beta] = ["weight", "bias"].map((kind) => variables.get(`${norm}.${kind}`));
          const running = statistics.get(norm);
          if (!training) return tf.batchNorm(z, running.mean, running.variance, beta, gamma, 1e-5);
          const { y, mean, variance } = normalize(z, gamma, beta);
          const n = z.size / z.shape[3];
          running.mean.assign(running.mean.mul(0.9).add(mean.mul(0.1)));
          running.variance.assign(running.variance.mul(0.9).add(variance.mul((0.1 * n) / (n - 1))));
          return y;
        },
      },
      x,
    );
  const dispose = () => {
    tf.dispose([...variables.values()]);
    for (const { mean, variance } of statistics.values()) tf.dispose([mean, variance]);
  };
  return { model, variables, dispose };
}

const images = (batch) => nhwc(uniform(batch * 3 * 32 * 32, 1000), [batch, 3, 32, 32]);

function train({ batch }) {
  const { model, variables, dispose } = resnet18();
  const x = images(batch);
  const target = tf.tidy(() => tf.oneHot(tf.tensor(labels(batch, 1001, 10), [batch], "int32"), 10).toFloat());
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
  const list = [...variables.values()];
  const once = () =>
    optimizer.minimize(() => tf.losses.softmaxCrossEntropy(target, model(x, true)).asScalar(), true, list);
  return {
    async step() {
      const loss = once();
      const [value] = await loss.data();
      loss.dispose();
      return value;
    },
    async run(times) {
      for (let i = 0; i < times; i++) once().dispose();
      await sync();
    },
    dispose() {
      dispose();
      optimizer.dispose();
      tf.dispose([x, target]);
    },
  };
}

function infer({ batch }) {
  const { model, dispose } = resnet18();
  const x = images(batch);
  const f = figure([x], () => model(x, false));
  return {
    ...f,
    dispose() {
      f.dispose();
      dispose();
    },
  };
}

await serve({ conv, matmul, batchNorm, train, infer });
