// Errors of this package: the error that socket.io throws, if it throws one, with a stable `code`.
import type { CoreErrorCode } from '../generated/codes';

/** Gives an error its code. */
export function coded<E extends Error>(code: CoreErrorCode, error: E): E & { code: CoreErrorCode } {
  return Object.assign(error, { code });
}
