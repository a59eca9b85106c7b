import { init, manualSeed, nn, noGrad, optim, scope, tensor } from "wgrad";

const device = await init(); // Dawn in Node, navigator.gpu in a browser
console.log(`on ${device.info.name}`);
manualSeed(0);

// Two spirals of 200 points each: which arm does a point belong to?
const points = Array.from({ length: 400 }, (_, i) => {
  const radius = (1 + (i >> 1)) / 200;
  const angle = 6 * radius + (i % 2) * Math.PI;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
});
const x = tensor(points);
const arms = points.map((_, i) => i % 2);
const y = tensor(arms, { dtype: "i32" });

const layers = [new nn.Linear(2, 64), new nn.ReLU(), new nn.Linear(64, 64), new nn.ReLU(), new nn.Linear(64, 2)];
const model = new nn.Sequential(...layers);
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });

for (let step = 1; step <= 200; step++) {
  // A scope frees all tensors made in it but those it returns.
  const loss = scope(() => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  if (step % 50 === 0) console.log(`step ${step}: loss ${(await loss.item()).toFixed(4)}`);
  loss.dispose();
}
const accuracy = noGrad(() => scope(() => model.forward(x).argmax(1).eq(y).to("f32").mean()));
console.log(`accuracy ${(100 * (await accuracy.item())).toFixed(1)} %`);
