// The tables: all of it for results/ and docs/benchmarks.md, the short form for README.md.

const LIMITS = `These numbers do not show: a network (everything is loopback, so a system call costs what it costs and
distance costs nothing); a machine where the server has cores of its own (two cores are shared with the load
generator, so rates and latencies are lower bounds for all, and a server that uses several threads gains less than
it would elsewhere; CPU per message is the figure to compare); TLS, compression, long-polling, binary payloads and
payloads far from 100 bytes; memory that the kernel holds for sockets; or an application that does more in its handler
than join a room and answer. Each shape runs on a fresh server with warmed-up code. CPU is that of the whole server
process, all threads; rates and CPU are medians of the rounds, latency quantiles and the worst lag are over all
rounds. Burst latency includes the wait behind the rest of the burst.`;

const METRICS = [
  ['messages/s', 0, (r) => r.messagesPerSecond],
  ['CPU µs', 2, (r) => r.cpuUs],
  ['user', 2, (r) => r.userUs],
  ['system', 2, (r) => r.systemUs],
  ['p50 ms', 2, (r) => r.latencyMs?.p50],
  ['p99 ms', 2, (r) => r.latencyMs?.p99],
  ['max ms', 2, (r) => r.latencyMs?.max],
  ['KiB/conn', 1, (r) => r.kibPerConnection],
  ['other node, CPU µs per publish', 1, (r) => r.otherNodeUs],
  ['Redis, CPU µs per publish', 1, (r) => r.redisUs],
  ['loop lag ms', 1, (r) => r.lagMaxMs],
  ['in emit, µs per call', 1, (r) => r.emitMeanUs],
  ['in emit, ms per round', 2, (r) => r.emitTotalMs],
];

/** Everything that was measured, each figure with its ratio to the baseline. */
export function fullReport(context, verdicts) {
  const parts = [`# Bench\n`, where(context), ...context.shapes.map((shape) => section(context, shape)), cCall(context)];
  if (verdicts.length > 0) {
    const rows = verdicts.map(({ name, value, limit, met, atLeast }) => [
      name, figure(value, 2), `${atLeast ? '≥' : '≤'} ${figure(limit, 2)}`, met ? 'met' : '**missed**',
    ]);
    parts.push(`## Targets\n\n${table(['target', 'measured', 'limit', ''], rows)}`);
  }
  parts.push(`## What this does not show\n\n${LIMITS}\n`);
  return parts.join('\n');
}

/** What README.md shows: the chart and one table. */
export function readmeSection(context, dir) {
  return [
    where(context),
    picture(dir),
    headline(context),
    'All figures, how they were measured and what they do not show: [docs/benchmarks.md](docs/benchmarks.md).\n',
  ].join('\n');
}

/** What docs/benchmarks.md shows: the same and every table. `dir` is seen from that page. */
export function benchmarksPage(context, dir) {
  return [
    where(context),
    picture(dir),
    headline(context),
    ...context.shapes.map((shape) => section(context, shape)),
    cCall(context),
    `## What these numbers do not show\n\n${LIMITS}\n`,
    'Again on your machine: `make bench`.\n',
  ].join('\n');
}

const picture = (dir) => `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${dir}/bench-dark.svg">
  <img alt="CPU per message, memory per connection and time in the emit call of each server; the numbers are in the table below" src="${dir}/bench-light.svg">
</picture>\n`;

function where({ results, peers, get, shapes }) {
  const { cpu, memoryGiB, kernel, node, rust } = results.machine;
  const versions = peers
    .map(({ id, label }) => [label, shapes.map((shape) => get(id, shape.id)?.server?.version).find(Boolean)])
    .filter(([, version]) => version)
    .map(([label, version]) => `${label} ${version}`);
  const absent = Object.entries(results.absent).map(([id, reason]) => `\n**${id} was not run:** ${reason}\n`);
  const quick = results.quick ? '\n**A quick run: too short for numbers to be kept.**\n' : '';
  return `Measured ${results.date.slice(0, 10)} on ${cpu}, ${memoryGiB} GiB, ${kernel}, Node ${node}, ${rust}, loopback. ${versions.join(', ')}.
In parentheses: the ratio to socket.io.\n${quick}${absent.join('')}`;
}

/** CPU per message for the shapes that have it, memory for idle, mean emit call at the largest room. */
function headline({ peers, shapes, baseline, get }) {
  const columns = shapes.map((shape) => {
    if (shape.kind === 'idle') return [shape, 'idle, KiB per connection', 1, (r) => r.kibPerConnection];
    if (shape.kind === 'emit') {
      return [shape, 'one emit to the largest room, µs of the caller', 1, (r) => r.emitCost?.at(-1)?.meanUs];
    }
    if (shape.kind === 'foreign') return [shape, `${shape.id}, CPU µs per message of the node without the room`, 2, (r) => r.otherNodeUs];
    return [shape, `${shape.id}, CPU µs per ${shape.unit}`, shape.kind === 'connect' ? 0 : 2, (r) => r.cpuUs];
  });
  const rows = peers
    .filter(({ id }) => shapes.some((shape) => get(id, shape.id)))
    .map((peer) => [
      peer.ours ? `**${peer.label}**` : peer.label,
      ...columns.map(([shape, , digits, read]) => cell(get(peer.id, shape.id), get(baseline, shape.id), digits, read)),
    ]);
  return table(['server', ...columns.map(([, title]) => title)], rows);
}

function section({ results, peers, baseline, get }, shape, heading = '##') {
  const reports = results.reports[shape.id] ?? {};
  const ran = peers.filter(({ id }) => reports[id]);
  const base = get(baseline, shape.id);
  const columns = shape.kind === 'emit' ? emitColumns(reports) : METRICS.filter(([, , read]) => ran.some(({ id }) => read(reports[id]) != null));
  const rows = ran.map(({ id, label }) => {
    const report = get(id, shape.id);
    if (!report) return [label, `failed: ${reports[id].failed}`];
    return [`${label}${losses(report)}`, ...columns.map(([, digits, read]) => cell(report, base, digits, read))];
  });
  return `${heading} ${shape.title}\n\n${table(['server', ...columns.map(([title]) => title)], rows)}`;
}

function cCall({ results: { c } }) {
  if (!c) return '';
  const rows = [['1', c.oneUs, c.oneClockUs], [String(c.threads), c.allUs, c.allClockUs]];
  const head = ['threads', 'µs of the calling thread', 'µs on the clock'];
  return `## kraken_ws_send_to_room\n\n${table(head, rows.map(([count, ...us]) => [count, ...us.map((one) => figure(one, 2))]))}`;
}

function emitColumns(reports) {
  const sizes = Object.values(reports).find((report) => report.emitCost)?.emitCost ?? [];
  return sizes.flatMap(({ members }, at) => [
    [`${members} members, mean µs`, 1, (r) => r.emitCost?.[at]?.meanUs],
    [`max µs`, 0, (r) => r.emitCost?.[at]?.maxUs],
  ]);
}

function losses({ lost, wanted }) {
  return lost ? ` (lost ${((100 * lost) / wanted).toFixed(1)} % of the messages)` : '';
}

function cell(report, base, digits, read) {
  const value = report && read(report);
  if (value == null) return '–';
  const reference = base && base !== report ? read(base) : undefined;
  return reference ? `${figure(value, digits)} (${ratio(value / reference)})` : figure(value, digits);
}

const figure = (value, digits) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(',', ' ');

const ratio = (value) => `×${value >= 10 ? value.toFixed(0) : value >= 0.1 ? value.toFixed(2) : value.toPrecision(1)}`;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return `${[head, rule, ...rows].map(line).join('\n')}\n`;
}
