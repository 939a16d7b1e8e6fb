// Long-polling for pages that can only load scripts (engine.io's JSONP): answers are calls, messages are forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../support/harness.mjs';
import { enginePath, request } from '../support/http.mjs';
import { subject } from '../support/subject.mjs';
import { event } from '../support/wait.mjs';

/** The payload inside `___eio[7]("…");`. */
function unwrap({ status, headers, text }) {
  assert.equal(status, 200, text);
  // engine.io says text/plain, which browsers refuse to run under `nosniff`.
  assert.match(headers['content-type'], subject === 'socket.io' ? /^text\/plain/ : /^text\/javascript/);
  const [, argument] = /^___eio\[7\]\((.*)\);$/s.exec(text) ?? assert.fail(text);
  return JSON.parse(argument);
}

/** Sends a payload the way engine.io-client's form does: line ends within messages escaped twice. */
const post = (target, payload) =>
  request(target, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ d: payload.replaceAll('\\n', '\\\\n') }).toString(),
  });

for (const eio of [3, 4]) {
  const wrap = (packet) => (eio === 3 ? `${packet.length}:${packet}` : packet);

  test(`a JSONP session speaks both ways: protocol ${eio}`, async (t) => {
    const { io, url } = await serve(t, { allowEIO3: true });
    const arrived = event(io, 'connection');
    const at = url + enginePath(`EIO=${eio}&transport=polling&j=7`);
    const open = unwrap(await request(at));
    const { sid } = JSON.parse(open.slice(open.indexOf('{'), open.indexOf('}') + 1));
    const session = `${at}&sid=${sid}`;
    if (eio === 4) assert.equal((await post(session, '40')).text, 'ok');
    const [socket] = await arrived;
    const joined = open.includes('40', open.indexOf('}')) ? open : unwrap(await request(session));
    assert.match(joined, /40/);

    const told = event(socket, 'say');
    const answered = await post(session, wrap('42["say","two\\nlines & <b>"]'));
    assert.equal(answered.status, 200);
    assert.deepEqual(await told, ['two\nlines & <b>']);

    socket.emit('news', 'line\u2028separator "quoted"');
    const news = unwrap(await request(session));
    assert.ok(news.includes('42["news","line\u2028separator \\"quoted\\""]'), news);
  });
}
