// The pickle reader on its own: each opcode's value, and streams that Python would run or choke on.
import { describe, expect, it } from "vitest";
import { FormatError, UnsafePickleError } from "../../src/errors.ts";
import { PickleCallable, pickleBudget, unpickle } from "../../src/io/pickle.ts";
import { torchGlobals } from "../../src/io/torch-globals.ts";

/** Text as latin-1 bytes. */
const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const plain = { source: "test", globals: new Map<string, unknown>() };
const read = (text: string, globals: ReadonlyMap<string, unknown> = new Map()): unknown =>
  unpickle(latin1(text), 0, { source: "test", globals }).value;

describe("unpickle", () => {
  it.each<[string, string, unknown]>([
    ["None", "\x80\x02N.", null],
    ["True and False", "\x88\x89\x86.", [true, false]],
    ["small integers", "K\xffM\x01\x02J\xfe\xff\xff\xff\x87.", [255, 513, -2]],
    ["LONG1", "\x8a\x00\x8a\x01\xff\x8a\x07\xff\xff\xff\xff\xff\xff\x1f\x87.", [0, -1, Number.MAX_SAFE_INTEGER]],
    ["LONG1 beyond 2^53", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", 2n ** 64n],
    ["LONG4", "\x8b\x02\x00\x00\x00\x00\x80.", -32768],
    ["BINFLOAT", "G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5],
    ["text", "X\x02\x00\x00\x00\xc3\xa9\x8c\x01a\x86.", ["é", "a"]],
    ["Python 2 text", "U\x01aT\x01\x00\x00\x00b\x86.", ["a", "b"]],
    ["text that is not UTF-8", "U\x01\xffU\x03\xef\xbf\xbd\x86.", [latin1("\xff"), "\ufffd"]],
    ["bytes", "C\x01\xff.", latin1("\xff")],
    ["a framed list", "\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01e.", [1]],
    ["APPEND, LIST and TUPLE", "]K\x01a(K\x02l(K\x03t\x87.", [[1], [2], [3]]],
    ["dicts", "}K\x01K\x02s(K\x03K\x04u.", new Map([[1, 2]]).set(3, 4)],
    ["DICT", "(K\x01K\x02d.", new Map([[1, 2]])],
    ["sets", "\x8f(K\x01\x90(K\x02\x91\x86.", [new Set([1]), new Set([2])]],
    ["the memo", "K\x07q\x050h\x05r\x00\x01\x00\x00j\x00\x01\x00\x00\x94h\x02\x87.", [7, 7, 7]],
    [
      "numbers of protocol 0",
      "(I7\nI-2\nI01\nI00\nL123456789012345678901L\nF-1.5\nFinf\nt.",
      [7, -2, true, false, 123456789012345678901n, -1.5, Infinity],
    ],
    [
      "text of protocol 0",
      "S'a\\n\\'\\x41'\nV\xe9\\u20ac\\U0001f600\nS\"\\xff\"\n\x87.",
      ["a\n'A", "\xe9\u20ac\u{1f600}", latin1("\xff")],
    ],
    ["the memo of protocol 0", "I7\np12\n0g12\n.", 7],
    ["POP, POP_MARK and DUP", "K\x01K\x020(K\x031K\x04(02\x87.", [1, 4, 4]],
  ])("reads %s", (_, text, value) => {
    expect(read(text)).toEqual(value);
  });

  it("keeps what is shared shared", () => {
    const [a, b] = read("]q\x00h\x00\x86.") as unknown[];
    expect(a).toBe(b);
  });

  it("calls only what it was given", () => {
    const globals = new Map([["m.f", new PickleCallable("m.f", (args) => args.length)]]);
    expect(read("cm\nf\nK\x01\x85R.", globals)).toBe(1);
    expect(read("\x8c\x01m\x8c\x01f\x93)R.", globals)).toBe(0);
    expect(read("cm\nf\n)\x81.", globals)).toBe(0);
    expect(read("cm\nf\n)}\x92.", globals)).toBe(0);
    expect(read("(K\x01im\nf\n.", globals)).toBe(1);
    expect(read("(cm\nf\nK\x01o.", globals)).toBe(1);
  });

  it.each([
    ["cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "os.system"],
    ["\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.", "posix.system"],
    ["c__builtin__\neval\nX\x01\x00\x00\x001\x85R.", "__builtin__.eval"],
    ["(X\x04\x00\x00\x00trueios\nsystem\n.", "os.system"],
    ["cos\nsystem\n(S'true'\ntR.", "os.system"],
    ["ctorch.storage\n_load_from_bytes\nC\x00\x85R.", "torch.storage._load_from_bytes"],
    ["\x8c\x05torch\x8c\x0ehub.load_state\x93.", "torch.hub.load_state"],
    ["ctorch\n__proto__\n.", "torch.__proto__"],
    ["cconstructor\nconstructor\n.", "constructor.constructor"],
  ])("refuses stream %#", (text, name) => {
    expect(() => read(text, torchGlobals("test"))).toThrow(UnsafePickleError);
    expect(() => read(text, torchGlobals("test"))).toThrow(`the pickle asks for ${name}, which`);
  });

  it.each([
    ["", /1 bytes are needed but 0 are left/],
    ["N", /cut off/],
    [".", /lacks its operand/],
    ["(N(.", /lacks its operand/],
    ["(2.", /lacks its operand/],
    ["t.", /lacks its mark/],
    ["K", /cut off/],
    ["h\x00.", /memo entry 0, which does not exist/],
    ["X\xff\xff\xff\xffa.", /a value of 4294967295 bytes but 2 are left/],
    ["\x8e\xff\xff\xff\xff\xff\xff\xff\xffa.", /a value of \d+ bytes but 2 are left/],
    ["\x80\x06N.", /protocol 6, but 0 to 5/],
    ["Ix\n.", /"x" where a whole number was expected/],
    ["Fx\n.", /"x" where a float was expected/],
    ["gx\n.", /"x" where a memo entry was expected/],
    ["Sx\n.", /a string without quotes/],
    ["V\\U00110000\n.", /a character beyond Unicode/],
    ["\x82\x01.", /opcode 0x82/],
    ["Q.", /lacks its operand/],
    ["NQ.", /persistent id, but none was expected/],
    ["NNs.", /lacks its operand/],
    ["NNNs.", /items are set on None, but a dict was expected/],
    ["}(Nu.", /a key without a value/],
    ["NNa.", /appended to None/],
    ["N(N\x90.", /added to None/],
    ["N)R.", /a call of None, which is not a function/],
    ["NNb.", /state is set on None/],
    ["cos", /a line without an end/],
    [`\x8b\x01\x01\x00\x00${"\x01".repeat(300)}.`, /an integer of 257 bytes/],
  ])("reports malformed stream %#", (text, message) => {
    expect(() => read(text)).toThrow(FormatError);
    expect(() => read(text)).toThrow(message);
  });

  it("bounds what a stream can make", () => {
    // What an object takes is counted, not only the bytes that ask for it.
    for (const op of ["]", "}", "\x8f", "C\x00", "(N1", "cm\nf\n)R"]) {
      expect(() => unpickle(latin1(op.repeat(450_000)), 0, { ...plain, opaque: true }), op).toThrow(
        /objects take more than twice the file and 16 MB/,
      );
    }
    const budget = pickleBudget(2 ** 30, "test");
    expect(() => unpickle(latin1("N0".repeat(2_100_000)), 0, { ...plain, budget })).toThrow(
      /more than 4000000 operations/,
    );
    const set = `]q\x00(${"N".repeat(2000)}e`; // a list of 2000, copied again and again
    expect(() => read(`${set}${"cbuiltins\nset\nh\x00\x85R0".repeat(501)}.`, torchGlobals("test"))).toThrow(
      /copy more than 100000 items/,
    );
  });

  it("does not touch prototypes", () => {
    const tree = read("}X\x09\x00\x00\x00__proto__}X\x01\x00\x00\x00aK\x01ss.");
    expect(tree).toEqual(new Map([["__proto__", new Map([["a", 1]])]]));
    expect("a" in {}).toBe(false);
  });
});
