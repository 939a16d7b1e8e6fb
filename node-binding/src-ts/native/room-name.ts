// Names of rooms. In socket.io rooms are keys of a Map, so any value and any string may be one. In the core they are
// well-formed text. A prefix marks the names of all other values and strings.
const PREFIX = '\u0000';
const STRING = `${PREFIX}string `;

const objects = new WeakMap<object, number>();
let last = 0;

function numberOf(object: object): number {
  let number = objects.get(object);
  if (number === undefined) objects.set(object, (number = ++last));
  return number;
}

/** The core's name for a room. */
export function roomName(room: unknown): string {
  if (typeof room === 'string') {
    // A string that is not well-formed can't cross as it is, but as JSON.
    if (room.startsWith(PREFIX) || !(room as string & { isWellFormed(): boolean }).isWellFormed()) {
      return `${STRING}${JSON.stringify(room)}`;
    }
    return room;
  }
  if ((typeof room === 'object' && room !== null) || typeof room === 'function') {
    return `${PREFIX}object ${numberOf(room)}`;
  }
  return `${PREFIX}${typeof room} ${String(room)}`;
}

/** The core's names for rooms that are strings. */
export function roomNames(rooms: readonly string[]): string[] {
  return rooms.map(roomName);
}

/** The room with that name in the core, where rooms are strings. */
export function roomOf(name: string): string {
  return name.startsWith(STRING) ? (JSON.parse(name.slice(STRING.length)) as string) : name;
}

/** A room as a string: applications without types also call `join(7)`. */
export function textOf(room: string): string {
  return typeof room === 'string' ? room : String(room);
}
