// Ceiling of memory traffic: dest = source, PER_LANE 4-vectors an invocation, neighbouring invocations side by side.
// 32 bytes moved for each vector: 16 read, 16 written.
const PER_LANE = 8u;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dest: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * 64u * PER_LANE + lane;
  for (var i = 0u; i < PER_LANE; i++) { dest[first + 64u * i] = source[first + 64u * i]; }
}
