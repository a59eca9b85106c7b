// ResNet18 as data: torchvision's parameters in order, and the blocks that use them.

/** @type {{ name: string, shape: number[] }[]} */
export const parameters = [];
/** Names of convolution and norm without ".weight", stride and padding. */
const layer = (conv, norm, from, to, kernel, stride) => {
  parameters.push({ name: `${conv}.weight`, shape: [to, from, kernel, kernel] });
  for (const kind of ["weight", "bias"]) parameters.push({ name: `${norm}.${kind}`, shape: [to] });
  return { conv, norm, channels: to, kernel, stride, padding: (kernel - 1) / 2 };
};

export const stem = layer("conv1", "bn1", 3, 64, 7, 2);
export const blocks = [];
let channels = 64;
for (const [i, width] of [64, 128, 256, 512].entries()) {
  for (const j of [0, 1]) {
    const at = `layer${i + 1}.${j}`;
    const stride = i > 0 && j === 0 ? 2 : 1;
    const first = layer(`${at}.conv1`, `${at}.bn1`, channels, width, 3, stride);
    const second = layer(`${at}.conv2`, `${at}.bn2`, width, width, 3, 1);
    const shortcut = stride > 1 ? layer(`${at}.downsample.0`, `${at}.downsample.1`, channels, width, 1, stride) : null;
    blocks.push({ first, second, shortcut });
    channels = width;
  }
}
parameters.push({ name: "fc.weight", shape: [10, 512] }, { name: "fc.bias", shape: [10] });

export const layers = [stem, ...blocks.flatMap((b) => [b.first, b.second, ...(b.shortcut ? [b.shortcut] : [])])];

/**
 * The forward pass, whatever the library: `op.convNorm(x, layer)`, `op.relu(x)`, `op.add(x, y)`, `op.stemPool(x)` (3x3,
 * stride 2, padding 1), `op.head(x)` (mean over the map, then `fc`); `op.share(x)` marks a second use of x.
 */
export function forward(op, x) {
  let y = op.stemPool(op.relu(op.convNorm(x, stem)));
  for (const { first, second, shortcut } of blocks) {
    const identity = shortcut ? op.convNorm(op.share(y), shortcut) : op.share(y);
    y = op.relu(op.add(op.convNorm(op.relu(op.convNorm(y, first)), second), identity));
  }
  return op.head(y);
}
