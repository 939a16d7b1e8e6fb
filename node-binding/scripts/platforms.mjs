// Platforms that binaries are published for, and the package.json of each.

/**
 * `triple` is the name that src-ts/native/platform.ts gives, `rust` the one that the compiler gives; the rest is what npm
 * chooses by.
 */
export const PLATFORMS = [
  { triple: 'linux-x64-gnu', rust: 'x86_64-unknown-linux-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { triple: 'linux-arm64-gnu', rust: 'aarch64-unknown-linux-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { triple: 'linux-x64-musl', rust: 'x86_64-unknown-linux-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { triple: 'linux-arm64-musl', rust: 'aarch64-unknown-linux-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  { triple: 'darwin-x64', rust: 'x86_64-apple-darwin', os: 'darwin', cpu: 'x64' },
  { triple: 'darwin-arm64', rust: 'aarch64-apple-darwin', os: 'darwin', cpu: 'arm64' },
];

/** The oldest glibc that Linux binaries run on, as a number behind `2.`. */
export const GLIBC = 17;

export const packageName = (triple) => `kraken-ws-native-${triple}`;
export const binaryName = (triple) => `kraken-ws-native.${triple}.node`;

/** The package.json of one platform's package, of the same version as the root package. */
export function platformPackage({ triple, os, cpu, libc }, { version, license, engines }) {
  return {
    name: packageName(triple),
    version,
    description: `The ${triple} binary of kraken-ws-native`,
    license,
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    type: 'commonjs',
    main: binaryName(triple),
    files: [binaryName(triple)],
  };
}
