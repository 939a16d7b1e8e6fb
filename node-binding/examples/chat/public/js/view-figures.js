// The corner with the server's live figures and the last minute of its traffic.

import { count, duration, milliseconds } from './format.js';
import { byId } from './dom.js';
import { on, state } from './store.js';

const SAMPLES = 60;
const HEIGHT = 24;

const traffic = [];

export function startFigures() {
  on(['figures'], draw);
}

function draw() {
  const { figures } = state;
  byId('figures').classList.toggle('stale', !figures);
  if (!figures) {
    traffic.length = 0;
    return;
  }
  const { connections, rooms, messagesIn, messagesOut, loopLagMs, loopLagMaxMs } = figures;
  set('subject', figures.subject);
  set('connections', count(connections));
  set('rooms', count(rooms));
  set('messages', count(messagesIn + messagesOut));
  set('lag', milliseconds(loopLagMs), `p99 of the last second; longest ${milliseconds(loopLagMaxMs)}`);
  set('split', `${count(messagesIn)} in · ${count(messagesOut)} out`);
  set('uptime', `up ${duration(figures.uptimeMs)}`);
  drawTraffic(messagesIn + messagesOut);
}

function set(name, text, title) {
  const node = byId('figures').querySelector(`[data-figure="${name}"]`);
  node.textContent = text;
  if (title) node.title = title;
}

function drawTraffic(latest) {
  traffic.push(latest);
  if (traffic.length > SAMPLES) traffic.shift();
  const top = Math.max(...traffic, 10);
  const first = SAMPLES - traffic.length;
  const points = traffic.map((value, at) => `${first + at},${(HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(2)}`);
  const find = (part) => byId('figures').querySelector(`[data-spark="${part}"]`);
  find('line').setAttribute('points', points.join(' '));
  find('area').setAttribute('points', `${first},${HEIGHT} ${points.join(' ')} ${SAMPLES - 1},${HEIGHT}`);
}
