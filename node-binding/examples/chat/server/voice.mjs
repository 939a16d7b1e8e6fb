// Who sits in which voice channel. A user is in one at most, through one connection; a lease that
// `voice_presence_refresh` renews clears out members whose page has frozen.

const LEASE_MS = 60_000;

export class Voice {
  /** userId -> { user, socketId, channelId, muted, leaseEnds } */
  #members = new Map();

  join(user, socketId, channelId, muted) {
    const member = { user, socketId, channelId, muted, leaseEnds: Date.now() + LEASE_MS };
    this.#members.set(user.id, member);
    return member;
  }

  find(userId) {
    return this.#members.get(userId);
  }

  /** The member behind this connection: another window of the same user is none. */
  findBySocket(userId, socketId) {
    const member = this.#members.get(userId);
    return member?.socketId === socketId ? member : undefined;
  }

  remove(member) {
    this.#members.delete(member.user.id);
  }

  refresh(member) {
    member.leaseEnds = Date.now() + LEASE_MS;
  }

  expired(now = Date.now()) {
    return [...this.#members.values()].filter((member) => member.leaseEnds <= now);
  }

  all() {
    return [...this.#members.values()].map(describe);
  }
}

/** The payload of the three voice events. */
export function describe(member) {
  return { channelId: member.channelId, userId: member.user.id, name: member.user.name, muted: member.muted };
}
