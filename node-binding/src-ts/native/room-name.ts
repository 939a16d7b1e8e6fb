// Rooms are keys of a Map in socket.io: any value may be one, and any string. In the core they are text. A prefix that
// no sane name begins with keeps the two apart.
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
    // What is not well-formed can't cross as it is: JSON has words for it.
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

/** The core's names for rooms that are texts. */
export function roomNames(rooms: readonly string[]): string[] {
  return rooms.map(roomName);
}

/** The room that the core names so, where rooms are texts. */
export function roomOf(name: string): string {
  return name.startsWith(STRING) ? (JSON.parse(name.slice(STRING.length)) as string) : name;
}

/** The name of a room is a text; applications without types also say `join(7)`. */
export function textOf(room: string): string {
  return typeof room === 'string' ? room : String(room);
}
