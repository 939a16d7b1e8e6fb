// make bench: every peer under every shape, one after the other, then tables and charts.
//
//   node tests/bench/run.mjs [--quick] [--only PEER|SHAPE[,…]] [--out DIR] [--readme]
//
// A full run writes to tests/bench/results/. A quick or partial one writes to tests/bench/target/partial/, so that
// it never replaces numbers worth keeping. --readme puts the figures into README.md and docs/benchmarks.md.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { benchBinary, benchDir, build, buildC, rootDir } from './build.mjs';
import { baseline, commandFor, peers } from './peers.mjs';
import { chart } from './report/chart.mjs';
import { startRedis } from './redis.mjs';
import { machine } from './report/machine.mjs';
import { benchmarksPage, fullReport, readmeSection } from './report/markdown.mjs';
import { shapes } from './shapes.mjs';
import { judge } from './targets.mjs';

// Longer than the slowest shape of the slowest peer takes by its own limits.
const ONE_RUN_LIMIT_MS = 180_000;
const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
    readme: { type: 'boolean', default: false },
  },
});
const partial = options.quick || options.only !== undefined;
const { chosenPeers, chosenShapes } = choose(options.only);
if (options.readme && partial) fail('--readme needs a full run: leave out --quick and --only');

// An interrupted bench leaves nothing running: the load generator is ended, and its server sees the end of its input.
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    interrupt.abort();
    process.exit(1);
  });
}

build();
const results = await runAll();
write(options.out ?? join(benchDir, partial ? 'target/partial' : 'results'));

/** Names of peers narrow the peers, names of shapes the shapes. */
function choose(only) {
  const names = only?.split(',') ?? [];
  const all = [...peers, ...shapes].map(({ id }) => id);
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) fail(`--only: expected some of ${all.join(', ')}, got ${unknown.join(', ')}`);
  const narrow = (list) => {
    const named = list.filter(({ id }) => names.includes(id));
    return named.length > 0 ? named : list;
  };
  return { chosenPeers: narrow(peers), chosenShapes: narrow(shapes) };
}

async function runAll() {
  const reports = {};
  const absent = {};
  for (const peer of chosenPeers) {
    const reason = peer.missing?.();
    if (reason) {
      absent[peer.id] = reason;
      console.error(`NOT RUN ${peer.id}: ${reason}`);
    }
  }
  const present = chosenPeers.filter(({ id }) => !(id in absent));
  // Shape by shape, so that what else the machine is doing meets the peers of one table alike.
  for (const shape of chosenShapes) {
    for (const peer of present) {
      const command = commandFor(peer, shape);
      if (!command) continue;
      const report = await runOne(command, shape);
      (reports[shape.id] ??= {})[peer.id] = report;
      console.error(`${shape.id.padEnd(11)} ${peer.id.padEnd(14)} ${summary(report)}`);
    }
  }
  const c = partial ? undefined : await runC();
  return { date: new Date().toISOString(), quick: options.quick, machine: machine(), absent, reports, c };
}

/** What the C call costs its caller. */
async function runC() {
  const program = buildC();
  if (!program) return undefined;
  const { stdout } = await promisify(execFile)(program, [], { timeout: ONE_RUN_LIMIT_MS, signal: interrupt.signal });
  const report = JSON.parse(stdout);
  console.error(`C           send_to_room   ${report.oneUs} µs CPU alone, ${report.allUs} µs with ${report.threads} threads`);
  return report;
}

async function runOne(command, shape) {
  const load = { ...shape.load, ...(options.quick ? shape.quick : {}) };
  if (!shape.redis) return generate(command, shape, load, load, process.env);
  const redis = await startRedis();
  if (!redis) return { load, failed: 'redis-server did not start: is it installed?' };
  try {
    const env = { ...process.env, BENCH_REDIS: redis.url };
    return await generate(command, shape, load, { ...load, 'redis-pid': redis.pid }, env);
  } finally {
    redis.stop();
  }
}

async function generate(command, shape, load, all, env) {
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [shape.kind, ...flags, '--', ...command];
  try {
    const { stdout } = await promisify(execFile)(benchBinary('loadgen'), args, {
      timeout: ONE_RUN_LIMIT_MS,
      signal: interrupt.signal,
      env,
    });
    return { load, ...JSON.parse(stdout) };
  } catch (error) {
    return { load, failed: (error.stderr || error.message).trim().split('\n').at(-1) };
  }
}

function summary(report) {
  if (report.failed) return `FAILED: ${report.failed}`;
  if (report.emitCost) return report.emitCost.map((row) => `${row.members}: ${row.meanUs.toFixed(1)} µs`).join(', ');
  if (report.kibPerConnection !== undefined) return `${report.kibPerConnection.toFixed(1)} KiB per connection`;
  const lost = report.lost ? `, ${report.lost} of ${report.wanted} lost` : '';
  const fleet = report.otherNodeUs === undefined ? '' : `, per publish ${report.otherNodeUs.toFixed(1)} µs on the other node, ${report.redisUs.toFixed(1)} µs on Redis`;
  return `${Math.round(report.messagesPerSecond)}/s, ${report.cpuUs.toFixed(2)} µs CPU${fleet}${lost}`;
}

function write(outDir) {
  mkdirSync(outDir, { recursive: true });
  const get = (peer, shape) => {
    const report = results.reports[shape]?.[peer];
    return report?.failed ? undefined : report;
  };
  const verdicts = options.quick ? [] : judge(get, results.c);
  const context = { results, peers: chosenPeers, shapes: chosenShapes, baseline, get };
  writeFileSync(join(outDir, 'bench.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(outDir, 'bench.md'), fullReport(context, verdicts));
  for (const theme of ['light', 'dark']) writeFileSync(join(outDir, `bench-${theme}.svg`), chart(context, theme));
  for (const { met, name, value, limit } of verdicts) {
    console.error(`${met ? 'met   ' : 'MISSED'} ${name}: ${value.toFixed(2)} (limit ${limit.toFixed(2)})`);
  }
  if (options.readme) {
    replaceSection('README.md', readmeSection(context, relative(rootDir, outDir)));
    replaceSection('docs/benchmarks.md', benchmarksPage(context, relative(join(rootDir, 'docs'), outDir)));
  }
  console.error(`written to ${relative(process.cwd(), outDir)}`);
}

function replaceSection(name, text) {
  const path = join(rootDir, name);
  const page = readFileSync(path, 'utf8');
  const from = page.indexOf(START);
  const to = page.indexOf(END);
  if (from < 0 || to < from) fail(`${name} has no ${START} … ${END}`);
  writeFileSync(path, `${page.slice(0, from + START.length)}\n${text}${page.slice(to)}`);
}

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}
