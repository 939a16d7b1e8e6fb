// Platforms that binaries are published for, and the package.json of each.

/** `triple` is the name that src-ts/platform.ts gives; the rest is what npm chooses by. */
export const PLATFORMS = [
  { triple: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { triple: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { triple: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { triple: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  { triple: 'darwin-x64', os: 'darwin', cpu: 'x64' },
  { triple: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
];

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
