// Ceiling of memory traffic: dest = source, PER_LANE 4-vectors an invocation. TOGETHER neighbouring invocations walk a
// block side by side: a GPU wants the whole workgroup to, a CPU one subgroup, whose block its prefetcher then follows.
// 32 bytes moved for each vector: 16 read, 16 written.
const PER_LANE = 8u;
const TOGETHER = 64u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dest: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.x * (64u / TOGETHER) + lane / TOGETHER;
  let first = block * TOGETHER * PER_LANE + lane % TOGETHER;
  for (var i = 0u; i < PER_LANE; i++) { dest[first + TOGETHER * i] = source[first + TOGETHER * i]; }
}
