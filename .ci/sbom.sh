#!/usr/bin/env bash
# What a release is made of, in CycloneDX: target/sbom/rust-library.json for
# the C library, rust-node-binding.json for the addon, npm.json for the package.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${CARGO_TARGET_DIR:-target}/sbom
mkdir -p "$out"
for crate in ffi/library node-binding; do
  name=$(basename "$crate")
  cargo cyclonedx --quiet --manifest-path "$crate/Cargo.toml" --format json --spec-version 1.5 --override-filename kraken-sbom
  mv "$crate/kraken-sbom.json" "$out/rust-$name.json"
done
# The tool writes one beside every crate of the workspace.
find core ffi node-binding tests -maxdepth 2 -name kraken-sbom.json -not -path '*/node_modules/*' -delete
npm --prefix node-binding sbom --sbom-format cyclonedx --omit dev --package-lock-only >"$out/npm.json"
ls -l "$out"
