// The chart: one panel of bars per shape, ours in colour. Plain SVG, one file per theme.

const THEMES = {
  light: { ground: '#ffffff', ink: '#1f2328', quiet: '#59636e', bar: '#c4cbd3', ours: '#0f766e', rule: '#d8dee4' },
  dark: { ground: '#0d1117', ink: '#e6edf3', quiet: '#9198a1', bar: '#3d444d', ours: '#2dd4bf', rule: '#2f353d' },
};

const PANEL = { width: 470, labels: 196, value: 72, row: 22, head: 52, gap: 26 };
const COLUMNS = 2;
const MARGIN = 24;
/** Title and subtitle of the whole. */
const TOP = 62;

const PANELS = {
  fanout: { measure: 'CPU µs per delivery', read: (r) => r.cpuUs },
  echo: { measure: 'CPU µs per round trip', read: (r) => r.cpuUs },
  connect: { measure: 'CPU µs per connection', read: (r) => r.cpuUs },
  idle: { measure: 'KiB per connection', read: (r) => r.kibPerConnection },
  emit: { measure: 'µs of the caller per call, largest room', read: (r) => r.emitCost?.at(-1)?.meanUs },
  fleet: { measure: 'CPU µs of both nodes per delivery', read: (r) => r.cpuUs },
  foreign: { measure: 'CPU µs per message of the node that lacks the room', read: (r) => r.otherNodeUs },
};

const TITLES = {
  'burst-1000': 'Burst, 200 messages to 1000',
  'burst-8000': 'Burst, 20 messages to 8000',
  'paced-1000': 'Every 10 ms to 1000',
  'paced-5000': 'Every 100 ms to 5000',
  echo: 'Echo with acknowledgement',
  nest: 'Echo through a NestJS gateway',
  connect: 'Connect',
  idle: 'Idle memory',
  emit: 'Emit call',
  'fleet-paced': 'Two nodes, every 10 ms to 2 × 1000',
  'fleet-burst': 'Two nodes, 200 messages to 2 × 1000',
  foreign: 'Rooms that only the other node has',
  'foreign-sharded': 'The same, sharded',
};

export function chart({ results, peers, shapes, get }, themeName) {
  const theme = THEMES[themeName];
  const shown = peers.filter(({ id }) => shapes.some((shape) => get(id, shape.id)));
  const height = PANEL.head + shown.length * PANEL.row;
  const panels = shapes.map((shape, at) => {
    const x = MARGIN + (at % COLUMNS) * (PANEL.width + PANEL.gap);
    const y = MARGIN + TOP + Math.floor(at / COLUMNS) * (height + PANEL.gap);
    const taking = shown.filter(({ id }) => !shape.servers || shape.servers[id]);
    return `<g transform="translate(${x} ${y})">${panel(shape, taking, get, theme)}</g>`;
  });
  const width = 2 * MARGIN + COLUMNS * PANEL.width + (COLUMNS - 1) * PANEL.gap;
  const total = MARGIN + TOP + Math.ceil(shapes.length / COLUMNS) * (height + PANEL.gap) + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13">
<title>Cost per message and per connection, by server; shorter is better</title>
<rect width="${width}" height="${total}" fill="${theme.ground}"/>
${text(MARGIN, MARGIN + 10, 'What one message or one connection costs the server', { fill: theme.ink, 'font-size': 17, 'font-weight': 600 })}
${text(MARGIN, MARGIN + 30, `Shorter is better. ${results.machine.cpu}, loopback, ${results.date.slice(0, 10)}${results.quick ? ', quick run' : ''}`, { fill: theme.quiet })}
${panels.join('\n')}
</svg>
`;
}

function panel(shape, peers, get, theme) {
  const { measure, read } = PANELS[shape.kind];
  const values = peers.map(({ id }) => {
    const report = get(id, shape.id);
    return report ? read(report) : undefined;
  });
  const longest = Math.max(...values.filter(Number.isFinite), Number.MIN_VALUE);
  const space = PANEL.width - PANEL.labels - PANEL.value;
  const rows = peers.map((peer, at) => {
    const value = values[at];
    const y = PANEL.head + at * PANEL.row;
    const ink = peer.ours ? theme.ink : theme.quiet;
    const weight = peer.ours ? 600 : 400;
    const label = text(PANEL.labels - 10, y, peer.label, { fill: ink, 'text-anchor': 'end', 'font-weight': weight });
    if (!Number.isFinite(value)) {
      return label + text(PANEL.labels, y, 'not measured', { fill: theme.quiet, 'font-style': 'italic' });
    }
    // A bar that would round to nothing is still a bar.
    const length = Math.max((space * Math.max(value, 0)) / longest, 2);
    const bar = `<rect x="${PANEL.labels}" y="${y - 12}" width="${length.toFixed(1)}" height="16" rx="2" fill="${peer.ours ? theme.ours : theme.bar}"/>`;
    const number = text(PANEL.labels + length + 8, y, short(value), { fill: ink, 'font-weight': weight });
    return label + bar + number;
  });
  return [
    text(0, 8, TITLES[shape.id], { fill: theme.ink, 'font-weight': 600, 'font-size': 14 }),
    text(0, 25, measure, { fill: theme.quiet, 'font-size': 12 }),
    `<line x1="${PANEL.labels}" x2="${PANEL.labels}" y1="${PANEL.head - 16}" y2="${PANEL.head + (peers.length - 1) * PANEL.row + 8}" stroke="${theme.rule}"/>`,
    ...rows,
  ].join('\n');
}

const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function text(x, y, content, attributes) {
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${written.join(' ')}>${escaped}</text>`;
}
