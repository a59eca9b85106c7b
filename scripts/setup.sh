#!/usr/bin/env bash
# Sets a machine up for wgrad: npm packages and, where WebGPU finds no adapter, Mesa's software Vulkan driver.
# Idempotent; asks nothing. Usage: npm run setup
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '[setup] %s\n' "$*"; }
fail() { printf '[setup] %s\n' "$*" >&2; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Runs a command quietly; shows what it printed only if it fails.
quietly() { "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; fail "failed: $*"; }; }

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node $(node --version) is too old: wgrad needs 20.19 or newer (https://nodejs.org)"

# npm writes node_modules/.package-lock.json last: one that is older than the lock file, or gone, is an old or broken install.
if [ node_modules/.package-lock.json -nt package-lock.json ] && npm ls >/dev/null 2>&1; then
  say "npm packages are in place"
else
  # Not npm ci, which starts over each time and refuses a lock file that lacks a package for some other platform.
  say "installing npm packages (npm install, as locked)"
  # The package brings its library for the CPU; its install script would fetch one for CUDA.
  quietly env ONNXRUNTIME_NODE_INSTALL=skip npm install --no-save --no-audit --no-fund
fi

# Prints the adapter's name. What Dawn says on stderr goes to the log, and is shown if there is no adapter in the end.
adapter() { node scripts/adapter.mjs 2>"$log"; }
if found=$(adapter); then
  say "WebGPU adapter: $found"
  exit 0
fi
say "no usable WebGPU adapter yet: $found"

advice='Install a Vulkan driver that WebGPU accepts and run "npm run setup" again: your GPU vendor'"'"'s or, for a software
adapter, Mesa 23.1 or newer (Fedora: dnf install mesa-vulkan-drivers; Arch: pacman -S vulkan-swrast; Ubuntu 24.04 and
Debian 13: apt install mesa-vulkan-drivers). macOS and Windows need no driver beyond the system'"'"'s own.'

command -v apt-get >/dev/null || fail "$advice"
if [ "$(id -u)" = 0 ]; then
  root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
  fail "apt needs root: run this once as root, or as a user who may use sudo without a password. $advice"
fi

ID="" VERSION_CODENAME="" PRETTY_NAME="this system"
[ -r /etc/os-release ] && . /etc/os-release
say "installing the Vulkan loader and Mesa's drivers with apt ($PRETTY_NAME)"
quietly "${root[@]}" apt-get update -qq
from=()
if [ "$ID" = debian ] && [ "$VERSION_CODENAME" = bookworm ]; then
  # Debian 12's own Mesa, 22.3, is older than Dawn accepts; its backports have 25.0.
  suite=bookworm-backports
  if ! apt-cache policy mesa-vulkan-drivers | grep -q "$suite"; then
    list=/etc/apt/sources.list.d/wgrad-backports.list
    say "adding $suite in $list"
    echo "deb http://deb.debian.org/debian $suite main" | "${root[@]}" tee "$list" >/dev/null
    quietly "${root[@]}" apt-get update -qq
  fi
  from=(-t "$suite")
fi
quietly "${root[@]}" apt-get install -y -qq --no-install-recommends libvulkan1
quietly "${root[@]}" apt-get install -y -qq --no-install-recommends "${from[@]}" mesa-vulkan-drivers

if found=$(adapter); then
  say "WebGPU adapter: $found"
else
  cat "$log" >&2
  fail "still no adapter: $found
$advice"
fi
