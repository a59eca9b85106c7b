// Muon: momentum of a matrix, made orthogonal.
import { check, checkWhole, ValueError } from "../errors.ts";
import { binary } from "../ops/binary.ts";
import * as binaries from "../ops/binary-rows.ts";
import { linear, matmul } from "../ops/matmul.ts";
import { t } from "../ops/movement.ts";
import { sum } from "../ops/sum-expand.ts";
import { unary } from "../ops/unary.ts";
import * as unaries from "../ops/unary-rows.ts";
import { reshape } from "../ops/view.ts";
import { show } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Optimizer, type ParamGroup, type ParamsInput } from "./optimizer.ts";
import { withDefaults } from "./optimizer-options.ts";
import { UpdateRule } from "./update-rule.ts";

/** Hyper-parameters of Muon, for all parameters or for each group. */
export interface MuonOptions {
  /** The learning rate. Default 1e-3. */
  lr: number;
  /** Shrinks the parameter (decoupled). Default 0.1. */
  weightDecay: number;
  /** Default 0.95. */
  momentum: number;
  /** Look ahead by the momentum. Default true. */
  nesterov: boolean;
  /** Of x, x^3 and x^5 in the polynomial that brings singular values to 1. Default [3.4445, -4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** Added to the norm that a matrix is divided by. Default 1e-7. */
  eps: number;
  /** How often the polynomial is applied. Default 5. */
  nsSteps: number;
}

type Shaping = Pick<MuonOptions, "nsCoefficients" | "eps" | "nsSteps">;

const times = (x: Tensor, scale: number): Tensor => unary(unaries.affine, x, { scale, offset: 0 });

/**
 * Near U V^T for x = U S V^T, x: [rows, ...] taken as a matrix [rows, columns], times sqrt(max(1, rows / columns)): the
 * singular values are divided by their norm, and X <- a X + (b A + c A A) X with A = X X^T moves them towards 1.
 */
function orthogonal(x: Tensor, { nsCoefficients: [a, b, c], eps, nsSteps }: Shaping): Tensor {
  const [rows = 1] = x.shape;
  const columns = x.numel / rows;
  const norm = unary(unaries.sqrt, sum(unary(unaries.square, x)));
  const matrix = binary(
    binaries.div,
    reshape(x, [rows, columns]),
    unary(unaries.affine, norm, { scale: 1, offset: eps }),
  );
  let y = rows > columns ? t(matrix) : matrix;
  for (let step = 0; step < nsSteps; step++) {
    const gram = linear(y, y);
    const polynomial = binary(binaries.add, times(gram, b), times(matmul(gram, gram), c));
    y = binary(binaries.add, times(y, a), matmul(polynomial, y));
  }
  return rows > columns ? times(t(y), Math.sqrt(rows / columns)) : y;
}

// What a captured step holds fast belongs to the rule: another value is another rule, and the step is recorded again.
const rules = new Map<string, UpdateRule<MuonOptions>>();

function ruleOf({ nsCoefficients, eps, nsSteps }: Shaping): UpdateRule<MuonOptions> {
  const key = [...nsCoefficients, eps, nsSteps].join();
  const known = rules.get(key);
  if (known) return known;
  const rule = new UpdateRule<MuonOptions>({
    name: "muon",
    state: ["momentumBuffer"],
    hyper: ({ lr, weightDecay, momentum, nesterov }) => {
      const [direct, damped] = nesterov ? [1 - momentum, momentum] : [0, 1];
      return { lr, keep: 1 - lr * weightDecay, momentum, mix: 1 - momentum, direct, damped };
    },
    before: {
      wgsl: `momentumBuffer = h.momentum * momentumBuffer + h.mix * g;
        g = h.direct * g + h.damped * momentumBuffer;`,
      map: (g) => orthogonal(g, { nsCoefficients, eps, nsSteps }),
    },
    wgsl: "p = h.keep * p - h.lr * g;",
  });
  rules.set(key, rule);
  return rule;
}

/**
 * Muon for the matrices inside a network: the momentum of each, made orthogonal by Newton-Schulz iterations. Weights of
 * convolutions, [out, in, ...], count as matrices [out, rest]. Give biases, norms, embeddings and the last layer to
 * another optimizer, AdamW say.
 * @see https://kellerjordan.github.io/posts/muon/ and https://pytorch.org/docs/stable/generated/torch.optim.Muon.html
 * @throws ValueError for a parameter of fewer than two dimensions, or a hyper-parameter out of range.
 */
export class Muon extends Optimizer<MuonOptions> {
  constructor(params: ParamsInput<MuonOptions>, options: Partial<MuonOptions> = {}) {
    const shaping: Shaping = { nsCoefficients: [3.4445, -4.775, 2.0315], eps: 1e-7, nsSteps: 5 };
    super(
      params,
      withDefaults("Muon", { lr: 1e-3, weightDecay: 0.1, momentum: 0.95, nesterov: true, ...shaping }, options),
    );
  }

  protected override checkGroup({ params, nsSteps }: ParamGroup<MuonOptions>): void {
    for (const [i, p] of params.entries()) {
      check(
        p.ndim >= 2,
        () =>
          `[Muon] parameter ${i} has shape ${show(p.shape)}, but takes matrices only: give it to another optimizer, such as AdamW`,
        ValueError,
      );
    }
    checkWhole("Muon", "nsSteps", nsSteps, 1, 100);
  }

  protected override rule(group: MuonOptions): UpdateRule<MuonOptions> {
    return ruleOf(group);
  }
}
