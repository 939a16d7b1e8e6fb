// Messages kept in memory, bounded: the newest of each channel and of each pair of users, and only
// the pairs that wrote last. A restart forgets them all.

const PER_CHANNEL = 200;
const PER_PAIR = 100;
const PAIRS = 500;

const boot = Date.now().toString(36);

export class History {
  #serial = 0;
  #channels = new Map();
  // Insertion order is the order of last use, so the first key is the pair to forget.
  #pairs = new Map();

  addMessage(author, channelId, content) {
    const message = { id: this.#nextId(), channelId, author, content, sentAt: new Date().toISOString() };
    const kept = this.#channels.get(channelId) ?? [];
    this.#channels.set(channelId, append(kept, message, PER_CHANNEL));
    return message;
  }

  addDirectMessage(from, to, content) {
    const message = { id: this.#nextId(), author: from, to, content, sentAt: new Date().toISOString() };
    const key = pairKey(from.id, to.id);
    const kept = this.#pairs.get(key)?.messages ?? [];
    this.#pairs.delete(key);
    this.#pairs.set(key, { users: [from, to], messages: append(kept, message, PER_PAIR) });
    if (this.#pairs.size > PAIRS) this.#pairs.delete(this.#pairs.keys().next().value);
    return message;
  }

  ofChannel(channelId) {
    return this.#channels.get(channelId) ?? [];
  }

  /** What one user wrote and got: `[{ peer, messages }]`. */
  threadsOf(userId) {
    const threads = [];
    for (const { users, messages } of this.#pairs.values()) {
      if (!users.some((user) => user.id === userId)) continue;
      threads.push({ peer: users.find((user) => user.id !== userId) ?? users[0], messages });
    }
    return threads;
  }

  /** The other user of a thread, who may have gone offline since. */
  peerOf(userId, peerId) {
    return this.#pairs.get(pairKey(userId, peerId))?.users.find((user) => user.id === peerId);
  }

  // Unique across restarts too: a page that stays open drops messages whose id it has seen.
  #nextId() {
    this.#serial += 1;
    return `${boot}-${this.#serial}`;
  }
}

function append(kept, message, max) {
  kept.push(message);
  if (kept.length > max) kept.shift();
  return kept;
}

const pairKey = (a, b) => JSON.stringify(a < b ? [a, b] : [b, a]);
