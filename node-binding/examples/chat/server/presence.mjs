// Who is online. A user goes online with the first connection and offline with the last one, or when
// the lease that `presenceOnline` renews has run out on connections that are still open.

const LEASE_MS = 60_000;

export class Presence {
  /** userId -> { user, sockets: Map(socketId -> idle), leaseEnds, online } */
  #entries = new Map();

  /** True when this connection brought the user online. */
  connect(user, socketId) {
    const entry = this.#entries.get(user.id) ?? { user, sockets: new Map(), leaseEnds: 0, online: false };
    this.#entries.set(user.id, entry);
    entry.sockets.set(socketId, false);
    return wake(entry);
  }

  /** True when this was the user's last connection and others saw the user online. */
  disconnect(userId, socketId) {
    const entry = this.#entries.get(userId);
    if (!entry?.sockets.delete(socketId) || entry.sockets.size > 0) return false;
    this.#entries.delete(userId);
    return entry.online;
  }

  /** True when others have something new to see: the user is back, or idle has changed. */
  renew(userId, socketId, idle) {
    const entry = this.#entries.get(userId);
    const idleBefore = isIdle(entry);
    entry.sockets.set(socketId, idle);
    return wake(entry) || isIdle(entry) !== idleBefore;
  }

  /** Users whose lease has run out; each is returned once. */
  expire(now = Date.now()) {
    const gone = [];
    for (const entry of this.#entries.values()) {
      if (!entry.online || entry.leaseEnds > now) continue;
      entry.online = false;
      gone.push(entry.user);
    }
    return gone;
  }

  find(userId) {
    return this.#entries.get(userId)?.user;
  }

  /** The payload of `userOnline`. */
  describe(userId) {
    const entry = this.#entries.get(userId);
    return { userId, name: entry.user.name, idle: isIdle(entry) };
  }

  online() {
    return [...this.#entries.values()].filter((entry) => entry.online).map(({ user }) => this.describe(user.id));
  }
}

function wake(entry) {
  const wasOnline = entry.online;
  entry.leaseEnds = Date.now() + LEASE_MS;
  entry.online = true;
  return !wasOnline;
}

// Active on one device is active.
const isIdle = (entry) => [...entry.sockets.values()].every(Boolean);
