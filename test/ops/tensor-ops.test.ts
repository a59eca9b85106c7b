// The functions of torch that are no methods, against PyTorch: scripts/golden/layers_tensor_ops.py.
import * as wgrad from "wgrad";
import { nn, type Tensor, tensor } from "wgrad";
import { withDevice } from "../support/case.ts";
import { type GoldenCase, goldenCases } from "../support/golden-layers.ts";

const F = nn.functional;
const w = wgrad;
const { scope } = wgrad;
withDevice();

type Nested = wgrad.NestedArray;
const i32 = (values: Nested) => tensor(values, { dtype: "i32" });
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

/** A case: inputs are shapes, or values. What the function makes meanwhile is freed. */
const of = (
  inputs: readonly (readonly number[] | (() => Tensor))[],
  run: (...inputs: Tensor[]) => Tensor | Tensor[],
): GoldenCase => ({ inputs, call: (_, given) => scope(() => run(...given)) });
const floats =
  (...values: Nested[]) =>
  () =>
    tensor(values);
const both = ({ values, indices }: { values: Tensor; indices: Tensor }) => [values, indices];

const cases: Record<string, GoldenCase> = {
  "cumsum of a long line": of([[700]], (x) => w.cumsum(x!, 0)),
  cumprod: of([[3, 5]], (x) => w.cumprod(x!, 1)),
  "cumprod with zeros": of([floats(2, 3, 0, 4, 0, 5)], (x) => w.cumprod(x!, 0)),
  prod: of([[2, 3]], (x) => w.prod(x!)),
  "prod along 1, kept": of([[3, 4]], (x) => w.prod(x!, 1, { keepdim: true })),
  "prod with a zero": of([floats(2, 0, 3)], (x) => w.prod(x!, 0)),
  "sort descending with NaN": of([floats(1, NAN, -INF, 3, 1, INF, NAN, 0, -0)], (x) => both(w.sort(x!, -1, true))),
  "sort with NaN": of([floats(1, NAN, -INF, 3, 1, INF, NAN, -0, 0, 2)], (x) => both(w.sort(x!))),
  "sort of many": of([[150, 2]], (x) => both(w.sort(x!, 0))),
  "sort of integers": of([() => i32([3, -1, 2 ** 31 - 1, 3, -(2 ** 31), 0])], (x) => both(w.sort(x!))),
  "topk of 40": of([[2, 50]], (x) => both(x!.topk(40))),
  "smallest 20 along 0": of([[30, 2]], (x) => both(x!.topk(20, 0, false))),
  logsumexp: of([[3, 4]], (x) => w.logsumexp(x!, 1)),
  "logsumexp of two dimensions, kept": of([[3, 4, 2]], (x) => w.logsumexp(x!, [0, 2], { keepdim: true })),
  "logsumexp with infinities": of([floats([INF, 1], [-INF, -INF], [-INF, 2], [1000, 1000], [NAN, 1])], (x) =>
    w.logsumexp(x!.detach(), 1),
  ),
  maskedFill: of([[3, 4]], (x) => w.maskedFill(x!, i32([1, 0, 1, 0]), -2)),
  "maskedFill by a tensor": of([[3, 4], [1]], (x, v) => w.maskedFill(x!, i32([1, 0, 1, 0]), v!.sum())),
  tril: of([[2, 3, 4]], (x) => w.tril(x!)),
  "tril 1": of([[4, 3]], (x) => w.tril(x!, 1)),
  "triu -1": of([[4, 3]], (x) => w.triu(x!, -1)),
  "triu 2": of([[3, 4]], (x) => w.triu(x!, 2)),
  oneHot: of([], () =>
    F.oneHot(
      i32([
        [2, 0],
        [1, 2],
      ]),
      4,
    ),
  ),
  roll: of([[3, 4]], (x) => w.roll(x!, 2)),
  "roll along dims": of([[3, 4]], (x) => w.roll(x!, [-1, 5], [0, 1])),
  repeat: of([[2, 3]], (x) => w.repeat(x!, [2, 1, 3])),
  tile: of([[2, 3]], (x) => w.tile(x!, [2])),
  repeatInterleave: of([[2, 3]], (x) => w.repeatInterleave(x!, 2, 1)),
  "repeatInterleave flattened": of([[2, 2]], (x) => w.repeatInterleave(x!, 3)),
  "repeatInterleave by a list": of([[2, 3, 2]], (x) => w.repeatInterleave(x!, [2, 0, 1], 1)),
  unbind: of([[2, 3]], (x) => w.unbind(x!, 1)),
  meshgrid: of([[3], [2]], (x, y) => w.meshgrid([x!, y!])),
  "meshgrid xy": of([[3], [2], [2]], (...given) => w.meshgrid(given, { indexing: "xy" })),
  takeAlongDim: of([[2, 3, 2]], (x) => w.takeAlongDim(x!, i32([[[1], [0], [2]]]), 1)),
  "takeAlongDim flattened": of([[2, 3]], (x) => w.takeAlongDim(x!, i32([1, 0, 5]))),
  "diag of a vector": of([[3]], (x) => w.diag(x!, 1)),
  "diag of a matrix": of([[3, 4]], (x) => w.diag(x!, -1)),
  diagonal: of([[3, 2, 4]], (x) => w.diagonal(x!, 1, 2, 0)),
  "diagonal beyond": of([[3, 4]], (x) => w.diagonal(x!, 9)),
  diagEmbed: of([[2, 3]], (x) => w.diagEmbed(x!, -1, 0, 2)),
  trace: of([[3, 4]], (x) => w.trace(x!)),
  outer: of([[3], [4]], (a, b) => w.outer(a!, b!)),
  kron: of(
    [
      [2, 3],
      [2, 1, 2],
    ],
    (a, b) => w.kron(a!, b!),
  ),
  bmm: of(
    [
      [2, 3, 4],
      [2, 4, 2],
    ],
    (a, b) => w.bmm(a!, b!),
  ),
  mm: of(
    [
      [3, 4],
      [4, 2],
    ],
    (a, b) => w.mm(a!, b!),
  ),
  mv: of([[3, 4], [4]], (a, b) => w.mv(a!, b!)),
  dot: of([[5], [5]], (a, b) => w.dot(a!, b!)),
  addmm: of([[2], [3, 4], [4, 2]], (c, a, b) => w.addmm(c!, a!, b!, { beta: 0.5, alpha: 2 })),
  baddbmm: of(
    [
      [2, 3, 2],
      [2, 3, 4],
      [2, 4, 2],
    ],
    (c, a, b) => w.baddbmm(c!, a!, b!),
  ),
  "addmm beta 0": of(
    [
      [3, 4],
      [4, 2],
    ],
    (a, b) => w.addmm(w.full([2], NAN), a!, b!, { beta: 0 }),
  ),
  lerp: of([[3], [2, 3]], (a, b) => w.lerp(a!, b!, 0.25)),
  "lerp beyond half": of([[3], [3]], (a, b) => w.lerp(a!, b!, 0.75)),
  "lerp by a tensor": of([[3], [3], [3]], (a, b, t) => w.lerp(a!, b!, t!)),
  addcmul: of([[3], [2, 1], [2, 3]], (x, a, b) => w.addcmul(x!, a!, b!, { value: 0.5 })),
  addcdiv: of([[3], [3], [3]], (x, a, b) => w.addcdiv(x!, a!, b!, { value: -2 })),
  "sub of a number": of([[5]], (x) => w.sub(1, x!)),
  "div of a number": of([[5]], (x) => w.div(1, x!)),
  "pow of a number": of([[5]], (x) => w.pow(2, x!)),
  "maximum of a number": of([[5]], (x) => w.maximum(0.5, x!)),
  linspace: of([], () => [0, 1, 2, 7].map((n) => w.linspace(-2, 3, n))),
  eye: of([], () => [w.eye(3), w.eye(2, 4)]),
  index: of([[2, 3, 2]], (x) => w.index(x!, [i32([1, -1, 0, 1]), i32([0, 2, -1, 0])])),
  "index broadcast": of([[2, 3]], (x) => w.index(x!, [i32([[1], [0]]), i32([0, 2, 2])])),
  "index of the last": of([[2, 3, 2]], (x) => w.index(x!, [null, null, i32([1, 1, 0])])),
  "index in the middle": of([[2, 3, 2]], (x) =>
    w.index(x!, [
      null,
      i32([
        [2, 0],
        [1, 1],
      ]),
    ]),
  ),
  "index apart": of([[2, 3, 2]], (x) => w.index(x!, [i32([1, 0]), null, i32([0, 1])])),
  indexPut: of([[2, 3], [2]], (x, v) => w.indexPut(x!, [i32([1, 0]), i32([2, -3])], v!)),
  "indexPut accumulated": of(
    [
      [2, 3],
      [2, 3],
    ],
    (x, v) => w.indexPut(x!, [null, i32([1, 0, 1])], v!, { accumulate: true }),
  ),
  "indexPut of rows": of([[2, 3], [3]], (x, v) => w.indexPut(x!, [i32([1, 0])], v!, { accumulate: true })),
};
for (const dim of [0, 1, 2]) {
  cases[`cumsum along ${dim}`] = of([[3, 5, 2]], (x) => w.cumsum(x!, dim - 3));
  cases[`sort along ${dim}`] = of([[3, 5, 2]], (x) => both(w.sort(x!, dim)));
}
const equations: [string, ...number[][]][] = [
  ["ij,jk->ik", [2, 3], [3, 4]],
  ["ij,jk", [2, 3], [3, 4]],
  ["bij,bjk->bik", [2, 3, 4], [2, 4, 2]],
  ["bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 5, 4]],
  ["ii", [3, 3]],
  ["ii->i", [3, 3]],
  ["iji->j", [3, 2, 3]],
  ["ij->ji", [2, 3]],
  ["ba", [2, 3]],
  ["ij->", [2, 3]],
  ["i,j->ij", [2], [3]],
  ["i,i->i", [3], [3]],
  ["...ij,...jk->...ik", [2, 1, 3, 4], [5, 4, 2]],
  ["...ij->...ji", [2, 3, 4]],
  ["i...,i...->...", [2, 3], [2, 3]],
  ["ij,jk,kl->il", [2, 3], [3, 4], [4, 2]],
  ["bn,anm,bm->ba", [2, 5], [3, 5, 4], [2, 4]],
  ["ij,ij->", [2, 3], [2, 3]],
  ["ij,kj->ik", [2, 1], [3, 4]],
  [" a b , b -> a ", [2, 3], [3]],
  ["Ab,bA->bA", [2, 3], [3, 2]],
  ["ijk,k", [2, 3, 4], [4]],
];
for (const [equation, ...shapes] of equations)
  cases[`einsum ${equation}`] = of(shapes, (...xs) => w.einsum(equation, ...xs));
goldenCases("tensor_ops", cases);

const around = floats(
  -2.5,
  -1,
  -0.75,
  -0.5,
  -0.3,
  -1e-3,
  -0,
  0,
  1e-3,
  0.2,
  0.45,
  0.55,
  0.9,
  1,
  1.5,
  3,
  20,
  NAN,
  INF,
  -INF,
);
const special = [-INF, -2.5, -1, -0, 0, 0.5, 2, 7, INF, NAN];
const unary = {
  ...{ log1p: w.log1p, expm1: w.expm1, log2: w.log2, log10: w.log10, exp2: w.exp2, tan: w.tan, asin: w.asin },
  ...{ acos: w.acos, atan: w.atan, sinh: w.sinh, cosh: w.cosh, erfc: w.erfc, trunc: w.trunc },
  ...{ isnan: w.isnan, isinf: w.isinf, isfinite: w.isfinite },
};
const binary = {
  atan2: w.atan2,
  fmod: w.fmod,
  remainder: w.remainder,
  floorDivide: w.floorDivide,
  divTrunc: (a: Tensor, b: Tensor) => w.div(a, b, { roundingMode: "trunc" }),
};
const math: Record<string, GoldenCase> = {};
for (const [name, f] of Object.entries(unary)) math[name] = of([around], (x) => f(x!));
for (const [name, f] of Object.entries(binary)) {
  math[`${name} of special numbers`] = of([() => tensor(special.map((x) => [x])), () => tensor([special])], (a, b) =>
    f(a!.detach(), b!.detach()),
  );
  math[name] = of([floats(5.5, -5.5, 5.5, -5.5, 0.25, 1e8, 3, -6), floats(2, 2, -2, -2, 3, 7, 3, 4)], (a, b) =>
    f(a!, b!),
  );
  if (name === "atan2") continue;
  const whole = [() => i32([7, -7, 7, -7, 0, 6, -6]), () => i32([2, 2, -2, -2, 3, 3, 3])];
  math[`${name} of integers`] = of(whole, (a, b) => f(a!, b!));
}
const logical = [floats(0, -0, 1, NAN), floats(0, 2, 0, 3)];
math["logical and"] = of(logical, (a, b) => w.logicalAnd(a!, b!));
math["logical or"] = of(logical, (a, b) => w.logicalOr(a!, b!));
math["logical xor"] = of(logical, (a, b) => w.logicalXor(a!, b!));
math["logical not"] = of(logical.slice(0, 1), (a) => w.logicalNot(a!));
goldenCases("math", math);
