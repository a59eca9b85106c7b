// What TypeScript reads of a kernel in its text, when it is a literal: names of buffers, names and types of parameters. The
// same as src/kernels/reflect.ts reads at run time; a text that is known at run time only has any names.
import type { Tensor } from "../tensor/tensor.ts";

type Space = " " | "\n" | "\r" | "\t";
type Trim<T extends string> = T extends `${Space}${infer Rest}`
  ? Trim<Rest>
  : T extends `${infer Rest}${Space}`
    ? Trim<Rest>
    : T;

type WithoutLines<T extends string, Done extends string = ""> = T extends `${infer Before}//${infer Rest}`
  ? Rest extends `${string}\n${infer After}`
    ? WithoutLines<After, `${Done}${Before}\n`>
    : `${Done}${Before}`
  : `${Done}${T}`;
type WithoutBlocks<T extends string, Done extends string = ""> = T extends `${infer Before}/*${string}*/${infer After}`
  ? WithoutBlocks<After, `${Done}${Before}`>
  : `${Done}${T}`;
/** The text without its comments. */
type Code<T extends string> = WithoutBlocks<WithoutLines<T>>;

/** A text that is not known to the last letter matches every key. */
type IsLiteral<T extends string> = Record<never, never> extends Record<T, unknown> ? false : true;

/** Names of the variables in storage, and of uniform blocks of their own. */
type BufferNames<
  T extends string,
  Found extends string = never,
> = T extends `${string}var<${infer Kind}>${infer Name}:${infer Type};${infer Rest}`
  ? BufferNames<
      Rest,
      | Found
      | (Trim<Kind> extends `storage${string}`
          ? Trim<Name>
          : Trim<Kind> extends "uniform"
            ? Trim<Type> extends "Params"
              ? never
              : Trim<Name>
            : never)
    >
  : Found;

type BuffersIn<T extends string> = {
  readonly [Name in BufferNames<T>]: T extends `${string}const has_${Name} = true;${string}` ? Tensor | null : Tensor;
};

type ValueOf<Type extends string> = Type extends `vec2${string}`
  ? readonly [number, number]
  : Type extends `vec3${string}`
    ? readonly [number, number, number]
    : Type extends `vec4${string}`
      ? readonly [number, number, number, number]
      : number;

/** Members of a struct: a scalar or vector ends at a comma, an array at the bracket after its comma. */
type Members<T extends string, Found = unknown> = T extends `${infer Name}:${infer Rest}`
  ? Trim<Rest> extends `array<${string},${string}>${infer More}`
    ? Members<More extends `${string},${infer Next}` ? Next : "", Found & Record<Trim<Name>, readonly number[]>>
    : Rest extends `${infer Type},${infer More}`
      ? Members<More, Found & Record<Trim<Name>, ValueOf<Trim<Type>>>>
      : Found & Record<Trim<Name>, ValueOf<Trim<Rest>>>
  : Found;

type ParamsIn<T extends string> = T extends `${string}struct Params${infer Gap}{${infer Body}}${string}`
  ? Trim<Gap> extends ""
    ? Members<Body>
    : never
  : null;

/** Written out, as an editor should show it. */
type Plain<O> = O extends null ? null : O extends infer P ? { readonly [Name in keyof P]: P[Name] } : never;

/** Tensors that a launch binds, by name; null is allowed where the text says `const has_NAME = true;`. */
export type BuffersOf<T extends string> =
  IsLiteral<T> extends true ? Plain<BuffersIn<Code<T>>> : Readonly<Record<string, Tensor | null>>;

/** Numbers for the members of `struct Params`, vectors as tuples, arrays as lists; null where there is none. */
export type ParamsOf<T extends string> =
  IsLiteral<T> extends true ? Plain<ParamsIn<Code<T>>> : Readonly<Record<string, number | readonly number[]>> | null;
