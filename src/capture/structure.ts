// The structure of models: which modules and parameters hang where. A captured step depends on it as on a mode, but a property
// that is read tells nobody; so a recording looks afterwards whose parameters its step has read.
import type { Tensor } from "../tensor/tensor.ts";
import type { Guards } from "./guards.ts";

const watched = new Set<WeakRef<object>>();
const gone = new FinalizationRegistry<WeakRef<object>>((ref) => void watched.delete(ref));
/** What is among `watched`, for asking. */
const modules = new WeakSet<object>();

/** Makes `module` one whose properties matter: modules like it, and parameters. */
export function watchStructure(module: object): void {
  const ref = new WeakRef(module);
  watched.add(ref);
  modules.add(module);
  gone.register(module, ref);
}

/** Every module that is still in use. */
export function* watchedModules(): Iterable<object> {
  for (const ref of watched) {
    const module = ref.deref();
    if (module) yield module;
  }
}

/** Guards the parts of every module that has, itself or further down, one of these leaves. */
export function guardStructure(guards: Guards, leaves: ReadonlyMap<Tensor, unknown>): void {
  const known = new Map<object, boolean>();
  const partsOf = (module: object) =>
    Object.entries(module).filter(
      ([, value]) => typeof value === "object" && value !== null && (modules.has(value) || leaves.has(value)),
    );
  const concerned = (module: object): boolean => {
    const before = known.get(module);
    if (before !== undefined) return before;
    known.set(module, false); // a module that holds itself
    const holds = partsOf(module).some(([, part]) => leaves.has(part) || concerned(part));
    known.set(module, holds);
    return holds;
  };
  for (const module of watchedModules()) {
    if (!concerned(module)) continue;
    const parts = partsOf(module);
    const properties = Object.keys(module).length;
    const holds = () =>
      Object.keys(module).length === properties && parts.every(([name, part]) => Reflect.get(module, name) === part);
    guards.add(parts, { holds, returns: true });
  }
}
