// The rooms of src/ and the direction of imports between them (docs/architecture.md), checked by `npm run check:imports`.

/** Lowest room first: a file may import from its own room and from those above its line, never from those below. */
const rooms = [
  ["errors"],
  ["context"],
  ["gpu"],
  ["tensor", "autograd", "kernels"],
  ["ops", "custom"],
  ["backward", "capture"],
  ["methods"],
  ["init"],
  ["nn"],
  ["data"],
  ["io", "optim", "vision"],
  ["train"],
  ["core"],
  ["onnx"],
  ["index", "mini"],
  ["node"],
];

const inRooms = (names) => `^src/(${names.join("|")})(/|\\.ts$)`;

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...rooms.slice(0, -1).map((names, i) => ({
      name: `${names.join("-")}-imports-downwards`,
      severity: "error",
      from: { path: inRooms(names) },
      to: { path: inRooms(rooms.slice(i + 1).flat()) },
    })),
    { name: "no-cycle", severity: "error", from: { path: "^src/" }, to: { circular: true } },
    { name: "no-unknown-room", severity: "error", from: {}, to: { path: "^src/", pathNot: [inRooms(rooms.flat())] } },
    { name: "not-resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "library-imports-no-test-or-example",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|examples|bench|scripts)/" },
    },
    {
      name: "library-imports-no-dev-dependency",
      severity: "error",
      from: { path: "^src/" },
      // sharp is both: tests need what users may install.
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer"] },
    },
    {
      name: "browser-reaches-no-node",
      comment: "src/index.ts, src/mini.ts, src/onnx/index.ts and all that they reach run in a browser.",
      severity: "error",
      from: { path: "^src/(index|mini|onnx/index)\\.ts$" },
      to: { path: "^(node:.*|src/node/.*|node_modules/webgpu/.*)", reachable: true },
    },
    {
      name: "browser-imports-no-builtin",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/node/" },
      to: { dependencyTypes: ["core"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Imports of types alone are gone after compilation and may point anywhere.
    tsPreCompilationDeps: false,
    // `#platform` resolves as in a browser: src/gpu/browser-platform.ts.
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["browser", "import", "default"],
      extensions: [".ts", ".js", ".mjs"],
    },
  },
};
