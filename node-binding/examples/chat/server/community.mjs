// The one community everybody of the demo belongs to. A real Kraken reads this from its database.

export const community = Object.freeze({
  id: 'kraken',
  name: 'Kraken',
  channels: Object.freeze([
    { id: 'general', name: 'general', kind: 'text', topic: 'Say hello, open a second window, talk to yourself' },
    { id: 'engineering', name: 'engineering', kind: 'text', topic: 'Rooms, fan-out, and what the profiler says' },
    { id: 'random', name: 'random', kind: 'text', topic: 'Everything that fits nowhere else' },
    { id: 'lounge', name: 'Lounge', kind: 'voice' },
    { id: 'standup', name: 'Stand-up', kind: 'voice' },
  ]),
});

const byId = new Map(community.channels.map((channel) => [channel.id, channel]));

/** The channel with this id and kind ('text' or 'voice'), or undefined. */
export function findChannel(id, kind) {
  const channel = byId.get(id);
  return channel?.kind === kind ? channel : undefined;
}
