// Prints the name of the WebGPU adapter that Node finds; exits 1 with the reason where there is none (see setup.sh).

try {
  const { create } = await import("webgpu");
  const adapter = await create([]).requestAdapter();
  if (!adapter) throw new Error("requestAdapter() found none");
  const { vendor, architecture, device, description } = adapter.info;
  // Dawn's object keeps the process alive: exit by hand.
  console.log(description || [vendor, architecture, device].filter(Boolean).join(", "));
  process.exit(0);
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
