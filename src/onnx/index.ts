// The public API of `wgrad/onnx`: models as files that ONNX Runtime runs.
export { ExportError } from "../errors.ts";
export { exportOnnx, type OnnxOptions } from "./export.ts";
