#!/usr/bin/env bash
# Sets a machine up for wgrad: npm packages and, where WebGPU finds no usable adapter, Mesa's software Vulkan driver.
# Idempotent; asks nothing. Usage: npm run setup
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '[setup] %s\n' "$*"; }

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { say "Node $(node --version) is too old: wgrad needs 20.19 or newer (https://nodejs.org)"; exit 1; }

if [ -f node_modules/.package-lock.json ] && [ node_modules/.package-lock.json -nt package-lock.json ] && npm ls >/dev/null 2>&1; then
  say "npm packages are in place"
else
  say "installing npm packages (npm ci)"
  npm ci --no-audit --no-fund
fi

adapter() { node scripts/adapter.mjs 2>&1; }
if found=$(adapter); then
  say "WebGPU adapter: $found"
  exit 0
fi
say "no usable WebGPU adapter yet"

help_text='Install a Vulkan driver that WebGPU accepts: your GPU vendor'"'"'s, or Mesa 23.1 or newer for software rendering
  (Fedora: dnf install mesa-vulkan-drivers; Arch: pacman -S vulkan-swrast; Ubuntu 24.04: apt install mesa-vulkan-drivers),
  then run npm run setup again. macOS (Metal) and Windows (D3D12) need nothing.'
if ! command -v apt-get >/dev/null; then
  say "$help_text"
  exit 1
fi

if [ "$(id -u)" = 0 ]; then root=""; else root="sudo"; fi
export DEBIAN_FRONTEND=noninteractive
. /etc/os-release
say "installing the Vulkan loader and Mesa's drivers with apt (${PRETTY_NAME:-this system})"
$root apt-get update -qq
suite=""
if [ "${ID:-}" = debian ] && [ "${VERSION_CODENAME:-}" = bookworm ]; then
  # Debian 12 ships Mesa 22.3, older than Dawn accepts; its backports have 25.0.
  suite=bookworm-backports
  if ! apt-cache policy mesa-vulkan-drivers | grep -q "$suite"; then
    say "adding $suite to /etc/apt/sources.list.d/wgrad-backports.list"
    echo "deb http://deb.debian.org/debian $suite main" | $root tee /etc/apt/sources.list.d/wgrad-backports.list >/dev/null
    $root apt-get update -qq
  fi
fi
$root apt-get install -y -qq --no-install-recommends libvulkan1 >/dev/null
$root apt-get install -y -qq --no-install-recommends ${suite:+-t "$suite"} mesa-vulkan-drivers >/dev/null

if found=$(adapter); then
  say "WebGPU adapter: $found"
else
  say "still no adapter: $found"
  say "$help_text"
  exit 1
fi
