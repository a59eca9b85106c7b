// Types of the platform in public declarations.

/**
 * The type of the global class of that name, as the program that uses this package has it: WebGPU's from the DOM library of
 * TypeScript 6 and newer or from `@webgpu/types`, `AbortSignal` from the DOM library or `@types/node`. In a program with
 * none of them it is an `object`, which can be handed on but not looked into.
 *
 * Declarations that users get name such types through this alone: the sources contradict each other, and a type that a
 * program lacks would be an error in it.
 */
export type GlobalType<Name extends string> = typeof globalThis extends {
  readonly [K in Name]: { prototype: infer Type };
}
  ? Type
  : object;
