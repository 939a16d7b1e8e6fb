// Bits of the `flags` argument of calls to the core.

export const VOLATILE = 1;
export const NO_COMPRESS = 2;
export const LOCAL = 4;
/** A further frame of the packet that the connection's last message began. */
export const MORE = 8;
