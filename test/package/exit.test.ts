// A program ends by itself when its work is done, and without an adapter it fails with advice.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Ended {
  code: number | string | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs exit-child.ts; `signal` is SIGTERM where it did not end within a minute. */
function runChild(env: NodeJS.ProcessEnv): Promise<Ended> {
  const args = ["scripts/run.mjs", "test/package/exit-child.ts"];
  const options = { cwd: root, env: { ...process.env, ...env }, timeout: 60_000 };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? null) : 0, signal: error?.signal ?? null, stdout, stderr }),
    );
  });
}

test("a program that opened the device ends by itself, with code 0", async () => {
  const { code, signal, stdout, stderr } = await runChild({});
  expect({ code, signal, stderr: stderr.replace(/^Warning: .*\n/gm, "") }).toEqual({
    code: 0,
    signal: null,
    stderr: "",
  });
  expect(JSON.parse(stdout)).toEqual({ name: expect.any(String), grad: [1, 1, 1] });
});

test("an error that nobody catches while pipelines compile ends it with code 1, not with a crash", async () => {
  const { code, signal, stderr } = await runChild({ WGRAD_TEST_THROWS: "1" });
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(stderr).toMatch(/thrown while pipelines compile/);
});

test("without an adapter init() throws a DeviceError that says what to do, and the program ends with code 1", async () => {
  const nowhere = "/nonexistent/icd.json";
  const { code, signal, stderr } = await runChild({ VK_DRIVER_FILES: nowhere, VK_ICD_FILENAMES: nowhere });
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(stderr).toMatch(/DeviceError: \[init\] no WebGPU adapter found/);
  expect(stderr).toMatch(/apt install mesa-vulkan-drivers/);
});
