// A pickle reader that builds plain containers and calls nothing but the globals it was handed.
import { FormatError, UnsafePickleError } from "../errors.ts";
import { ObjectBudget } from "./object-budget.ts";
import { OP } from "./pickle-opcodes.ts";
import { PickleReader } from "./pickle-reader.ts";

/** Stands for a Python object with state of its own. */
export class PickleObject {
  /** Takes the object's `__setstate__` argument. State that nobody asks for is dropped. */
  build(_state: unknown): void {}
}

/**
 * Stands for a Python global that is not on the list, and for whatever the pickle makes of it. Nothing is run: calls
 * and items are accepted and dropped, and state is kept as it is. It may lie beside the weights, but not in their place,
 * unless it is a module, whose state has them.
 */
export class PickleOpaque extends PickleObject {
  /** The global, as `module.name`. */
  readonly path: string;
  /** What it is and how to save it, where that is known. */
  readonly advice: string | undefined;
  /** The attributes of an instance. */
  state: unknown;
  constructor(path: string, advice?: string) {
    super();
    this.path = path;
    this.advice = advice;
  }
  /** What a call of the global gives. */
  instance(): PickleOpaque {
    return new PickleOpaque(this.path, this.advice);
  }
  override build(state: unknown): void {
    this.state = state;
  }
}

/** Stands for a Python function or class that a pickle may call. */
export class PickleCallable {
  readonly name: string;
  readonly #call: (args: readonly unknown[]) => unknown;
  readonly #opaqueFirst: boolean;
  /** With `opaqueFirst` the first argument may be an opaque object. */
  constructor(name: string, call: (args: readonly unknown[]) => unknown, opaqueFirst = false) {
    this.name = name;
    this.#call = call;
    this.#opaqueFirst = opaqueFirst;
  }
  /** The call's result. What is made from an opaque object is opaque too. */
  call(args: readonly unknown[]): unknown {
    const [first] = args;
    return first instanceof PickleOpaque && !this.#opaqueFirst ? first : this.#call(args);
  }
}

export interface PickleOptions {
  /** What errors call the stream. */
  readonly source: string;
  /** Everything that the pickle may refer to, by `module.name`: a PickleCallable or a plain value. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Resolves a persistent id, which is how torch.save refers to storages. */
  readonly persistent?: (id: unknown) => unknown;
  /** Whether other globals become a PickleOpaque. By default they end the reading. */
  readonly opaque?: boolean;
  /** What the objects may take, if not twice the stream and a bit: of several pickles together, or of a larger file. */
  readonly budget?: ObjectBudget;
}

/** The error for a global that is not on the list. */
export const unsafe = (source: string, path: string): UnsafePickleError =>
  new UnsafePickleError(
    `[${source}] the pickle asks for ${path.slice(0, 200)}, which is not on the list of what a weight file may hold; ` +
      "nothing was run. If you trust the file, load it in Python and save the weights alone: " +
      "torch.save(model.state_dict(), path)",
  );

/** The error for an opaque object in the place of weights. */
export const refusal = (
  source: string,
  { path, advice }: PickleOpaque,
  name?: unknown,
): FormatError | UnsafePickleError =>
  advice === undefined
    ? unsafe(source, path)
    : new FormatError(`[${source}] ${name === undefined ? "in the place of weights" : describe(name)} is ${advice}`);

/** The budget of a file of so many bytes. */
export const pickleBudget = (fileBytes: number, source: string): ObjectBudget =>
  new ObjectBudget(fileBytes, () => {
    throw new FormatError(
      `[${source}] the pickle's objects take more than twice the file and 16 MB: store the weights alone, as safetensors`,
    );
  });

/** Bytes that an object of V8 takes, rounded up: what budgets are charged. */
const COST = {
  slot: 8,
  memo: 48,
  array: 32,
  firstItem: 128,
  item: 16,
  map: 200,
  entry: 64,
  view: 160,
  object: 96,
  call: 256,
};

/** Bounds the time of a hostile stream; the largest published language models need under a million. */
const MAX_OPERATIONS = 4_000_000;
/** What only attacks ask for. Nothing would be run, but such a file is not to be trusted in anything. */
const ATTACK =
  /^(os|posix|nt|subprocess|pty|sys|runpy|socket|shutil|importlib|ctypes)\.|^(builtins|__builtin__)\.(eval|exec|execfile|compile|open|__import__)$|^torch\.storage\._load_from_bytes$/;
/** Python's arbitrary-length integers take quadratic time to read; no number of a checkpoint is longer than this. */
const MAX_LONG = 256;

/**
 * Reads one pickle (protocols 0 to 5) from `bytes` at `start`. dict and OrderedDict become Map, list and tuple become
 * Array, set becomes Set, int becomes number or, beyond 2^53, bigint, None becomes null, bytes become Uint8Array.
 * Text that is not UTF-8 stays bytes. Nothing is executed: a global that `options.globals` lacks ends the reading, or
 * becomes a PickleOpaque where `options.opaque` says so. The opcodes are those of
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py, less the extension registry.
 *
 * @returns the value and the position after the pickle.
 * @throws UnsafePickleError for a global that is not allowed; FormatError for a stream that is cut off or malformed.
 */
export function unpickle(bytes: Uint8Array, start: number, options: PickleOptions): { value: unknown; end: number } {
  const budget = options.budget ?? pickleBudget(bytes.length, options.source);
  return new Unpickler(new PickleReader(bytes, start, options.source), options, budget).run();
}

class Unpickler {
  readonly #in: PickleReader;
  readonly #options: PickleOptions;
  readonly #stack: unknown[] = [];
  /** Stack heights at the open marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  /** By path, so that a stream that asks again and again makes one. */
  readonly #opaque = new Map<string, PickleOpaque>();
  readonly #budget: ObjectBudget;

  constructor(input: PickleReader, options: PickleOptions, budget: ObjectBudget) {
    this.#in = input;
    this.#options = options;
    this.#budget = budget;
  }

  run(): { value: unknown; end: number } {
    // Every turn consumes at least one byte, so the loop ends with the stream if not before.
    for (let operations = 0; operations < MAX_OPERATIONS; operations++) {
      const opcode = this.#in.u8();
      this.#budget.charge(COST.slot);
      if (opcode === OP.STOP) return { value: this.#pop(), end: this.#in.position };
      if (!this.#constant(opcode) && !this.#container(opcode) && !this.#object(opcode)) {
        this.#in.fail(
          `opcode 0x${opcode.toString(16).padStart(2, "0")} is not one that torch.save writes (pickle protocols 0 to 5)`,
        );
      }
    }
    this.#in.fail(`more than ${MAX_OPERATIONS} operations: store the weights alone, as safetensors`);
  }

  /** Opcodes that push a constant or frame the stream. */
  #constant(opcode: number): boolean {
    const input = this.#in;
    switch (opcode) {
      case OP.PROTO: {
        const protocol = input.u8();
        if (protocol > 5) input.fail(`pickle protocol ${protocol}, but 0 to 5 were expected`);
        return true;
      }
      case OP.FRAME: // its length only helps buffering
        input.length(8);
        return true;
      case OP.NONE:
        return this.#push(null);
      case OP.NEWTRUE:
        return this.#push(true);
      case OP.NEWFALSE:
        return this.#push(false);
      case OP.BININT:
        return this.#push(input.i32());
      case OP.BININT1:
        return this.#push(input.u8());
      case OP.BININT2:
        return this.#push(input.unsigned(2));
      case OP.BINFLOAT:
        return this.#push(input.f64());
      case OP.FLOAT:
        return this.#push(input.float());
      case OP.INT:
      case OP.LONG:
        return this.#push(input.decimal());
      case OP.LONG1:
        return this.#push(this.#long(input.u8()));
      case OP.LONG4:
        return this.#push(this.#long(input.length(4)));
      default:
        return this.#text(opcode);
    }
  }

  /** Opcodes that push text and bytes. */
  #text(opcode: number): boolean {
    const input = this.#in;
    switch (opcode) {
      case OP.SHORT_BINUNICODE:
      case OP.SHORT_BINSTRING: // Python 2's str
        return this.#pushText(input.text(input.length(1)));
      case OP.BINUNICODE:
      case OP.BINSTRING:
        return this.#pushText(input.text(input.length(4)));
      case OP.BINUNICODE8:
        return this.#pushText(input.text(input.length(8)));
      case OP.STRING:
        return this.#pushText(input.quoted());
      case OP.UNICODE:
        return this.#pushText(input.unicode());
      case OP.SHORT_BINBYTES:
        return this.#pushText(input.bytes(input.length(1)));
      case OP.BINBYTES:
        return this.#pushText(input.bytes(input.length(4)));
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        return this.#pushText(input.bytes(input.length(8)));
      default:
        return false;
    }
  }

  /** Opcodes that move the stack, keep a memo and build containers. */
  #container(opcode: number): boolean {
    switch (opcode) {
      case OP.MARK:
        this.#marks.push(this.#stack.length);
        return true;
      case OP.POP: // of a mark, if one is on top
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return true;
      case OP.POP_MARK:
        this.#popMark();
        return true;
      case OP.DUP:
        return this.#push(this.#top());
      case OP.PUT:
        return this.#remember(this.#in.index());
      case OP.BINPUT:
        return this.#remember(this.#in.u8());
      case OP.LONG_BINPUT:
        return this.#remember(this.#in.unsigned(4));
      case OP.MEMOIZE:
        return this.#remember(this.#memo.size);
      case OP.GET:
        return this.#push(this.#recall(this.#in.index()));
      case OP.BINGET:
        return this.#push(this.#recall(this.#in.u8()));
      case OP.LONG_BINGET:
        return this.#push(this.#recall(this.#in.unsigned(4)));
      case OP.EMPTY_LIST:
      case OP.EMPTY_TUPLE:
        return this.#make(COST.array, []);
      case OP.EMPTY_DICT:
        return this.#make(COST.map, new Map());
      case OP.EMPTY_SET:
        return this.#make(COST.map, new Set());
      case OP.LIST:
      case OP.TUPLE:
        return this.#push(this.#popMark());
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3:
        return this.#push(this.#popMany(opcode - OP.TUPLE1 + 1));
      case OP.DICT:
        return this.#make(COST.map, this.#setItems(new Map(), this.#popMark()));
      case OP.FROZENSET: {
        const items = this.#popMark();
        return this.#make(COST.map + COST.entry * items.length, new Set(items));
      }
      case OP.APPEND:
        return this.#append([this.#pop()]);
      case OP.APPENDS:
        return this.#append(this.#popMark());
      case OP.SETITEM:
      case OP.SETITEMS: {
        const items = opcode === OP.SETITEM ? this.#popMany(2) : this.#popMark();
        const map = this.#top();
        if (map instanceof PickleOpaque) return true;
        if (!(map instanceof Map)) this.#in.fail(`items are set on ${describe(map)}, but a dict was expected`);
        this.#setItems(map, items);
        return true;
      }
      case OP.ADDITEMS: {
        const items = this.#popMark();
        const set = this.#top();
        if (set instanceof PickleOpaque) return true;
        if (!(set instanceof Set)) this.#in.fail(`items are added to ${describe(set)}, but a set was expected`);
        this.#budget.charge(COST.entry * items.length);
        for (const item of items) set.add(item);
        return true;
      }
      default:
        return false;
    }
  }

  /** Opcodes that name globals, call them and set state: the dangerous ones in Python. */
  #object(opcode: number): boolean {
    switch (opcode) {
      case OP.GLOBAL:
        return this.#push(this.#global(this.#in.line(), this.#in.line()));
      case OP.STACK_GLOBAL: {
        const [module, name] = this.#popMany(2);
        if (typeof module !== "string" || typeof name !== "string") this.#in.fail("a global's name must be text");
        return this.#push(this.#global(module, name));
      }
      case OP.INST: {
        const callee = this.#global(this.#in.line(), this.#in.line());
        return this.#push(this.#call(callee, this.#popMark()));
      }
      case OP.OBJ: {
        const [callee, ...args] = this.#popMark();
        return this.#push(this.#call(callee, args));
      }
      case OP.REDUCE:
      case OP.NEWOBJ: {
        const [callee, args] = this.#popMany(2);
        return this.#push(this.#call(callee, args));
      }
      case OP.NEWOBJ_EX: {
        const [callee, args, keywords] = this.#popMany(3);
        if (!(callee instanceof PickleOpaque || (keywords instanceof Map && keywords.size === 0)))
          this.#in.fail("a call has keyword arguments");
        return this.#push(this.#call(callee, args));
      }
      case OP.BUILD: {
        const state = this.#pop();
        const target = this.#top();
        if (target instanceof PickleObject) target.build(state);
        else if (!(target instanceof Map || target instanceof Set)) {
          // The attributes of an OrderedDict (a state dict's _metadata) are dropped; other values have none.
          this.#in.fail(`state is set on ${describe(target)}, which has none`);
        }
        return true;
      }
      case OP.PERSID:
      case OP.BINPERSID: {
        const id = opcode === OP.PERSID ? this.#in.line() : this.#pop();
        const { persistent } = this.#options;
        if (persistent === undefined) this.#in.fail("a persistent id, but none was expected here");
        return this.#make(COST.object, persistent(id));
      }
      default:
        return false;
    }
  }

  #global(module: string, name: string): unknown {
    const path = `${module}.${name}`;
    const { globals, source } = this.#options;
    if (globals.has(path)) return globals.get(path);
    if (!this.#options.opaque || ATTACK.test(path)) throw unsafe(source, path);
    let opaque = this.#opaque.get(path);
    if (opaque === undefined) {
      this.#budget.charge(COST.object + COST.entry + path.length);
      opaque = new PickleOpaque(path);
      this.#opaque.set(path, opaque);
    }
    return opaque;
  }

  #call(callee: unknown, args: unknown): unknown {
    this.#budget.charge(COST.object);
    if (callee instanceof PickleOpaque) return callee.instance();
    if (!(callee instanceof PickleCallable)) this.#in.fail(`a call of ${describe(callee)}, which is not a function`);
    if (!Array.isArray(args))
      this.#in.fail(`${callee.name} is called with ${describe(args)}, but a tuple was expected`);
    // A tensor copies its shape and strides.
    this.#budget.charge(args.reduce((sum, arg) => sum + (Array.isArray(arg) ? 8 * arg.length : 0), COST.call));
    return callee.call(args);
  }

  /** Pushes a new value that takes about so many bytes. */
  #make(cost: number, value: unknown): true {
    this.#budget.charge(cost);
    return this.#push(value);
  }

  #pushText(value: string | Uint8Array): true {
    return this.#make(typeof value === "string" ? COST.array + 2 * value.length : COST.view, value);
  }

  #push(value: unknown): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): unknown {
    const top = this.#top();
    this.#stack.pop();
    return top;
  }

  #popMany(count: number): unknown[] {
    const from = this.#stack.length - count;
    if (from < (this.#marks.at(-1) ?? 0)) this.#in.fail("an operation lacks its operands");
    this.#budget.charge(COST.array + COST.slot * count);
    return this.#stack.splice(from);
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) this.#in.fail("an operation lacks its mark");
    this.#budget.charge(COST.array + COST.slot * (this.#stack.length - mark));
    return this.#stack.splice(mark);
  }

  #top(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.#in.fail("an operation lacks its operand");
    return this.#stack.at(-1);
  }

  #append(items: unknown[]): true {
    const list = this.#top();
    if (list instanceof PickleOpaque) return true;
    if (!Array.isArray(list)) this.#in.fail(`items are appended to ${describe(list)}, but a list was expected`);
    this.#budget.charge(COST.item * items.length + (list.length === 0 ? COST.firstItem : 0));
    for (const item of items) list.push(item);
    return true;
  }

  #setItems(map: Map<unknown, unknown>, items: unknown[]): Map<unknown, unknown> {
    if (items.length % 2 !== 0) this.#in.fail("a dict has a key without a value");
    this.#budget.charge((COST.entry * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    return map;
  }

  #remember(index: number): true {
    this.#budget.charge(COST.memo);
    this.#memo.set(index, this.#top());
    return true;
  }

  #recall(index: number): unknown {
    if (!this.#memo.has(index)) this.#in.fail(`a reference to memo entry ${index}, which does not exist`);
    return this.#memo.get(index);
  }

  #long(length: number): number | bigint {
    this.#budget.charge(COST.array + length);
    if (length > MAX_LONG) this.#in.fail(`an integer of ${length} bytes, but at most ${MAX_LONG} are read`);
    let value = 0n;
    for (const [i, byte] of this.#in.bytes(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    value = BigInt.asIntN(8 * length, value);
    return BigInt(Number.MIN_SAFE_INTEGER) <= value && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
}

/** A value's kind for error messages; never its contents, which may be huge or refer to themselves. */
export function describe(value: unknown): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof PickleOpaque) return `an object of ${value.path.slice(0, 80)}`;
  if (typeof value === "object") return `a ${value.constructor.name}`;
  return typeof value === "string" ? `"${value.slice(0, 80)}"` : `${typeof value} ${String(value).slice(0, 40)}`;
}

/** A FormatError unless the pickle gave the kind of value that its reader needs. */
export function expectPickle(condition: boolean, source: string, message: () => string): asserts condition {
  if (!condition) throw new FormatError(`[${source}] ${message()}`);
}
