// Which pages may call: the cors option in all its shapes, on requests and preflights.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serve } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';

const ORIGIN = 'http://page.example';

async function ask(t, cors, origin = ORIGIN) {
  const { url } = await serve(t, cors === undefined ? {} : { cors });
  const headers = origin ? { origin } : {};
  return { url, answer: await request(url + enginePath(), { headers }) };
}

test('without the option no CORS header is sent', async (t) => {
  const { answer } = await ask(t);
  assert.equal(answer.status, 200);
  for (const name of Object.keys(answer.headers)) assert.ok(!name.startsWith('access-control'), name);
});

const ALLOWED = [
  ['a string', { origin: 'http://only.example' }, 'http://only.example', 'Origin'],
  ['a star', { origin: '*' }, '*', undefined],
  ['a list', { origin: ['http://other.example', ORIGIN] }, ORIGIN, 'Origin'],
  ['a RegExp', { origin: /\.example$/ }, ORIGIN, 'Origin'],
  ['a list with a RegExp', { origin: ['http://x', /^http:\/\/page/] }, ORIGIN, 'Origin'],
  ['true', { origin: true }, ORIGIN, 'Origin'],
];

for (const [name, cors, expected, vary] of ALLOWED) {
  test(`origin given as ${name}`, async (t) => {
    const { answer } = await ask(t, cors);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], expected);
    assert.equal(answer.headers.vary?.includes('Origin') ? 'Origin' : undefined, vary);
    assert.equal(answer.headers['access-control-allow-credentials'], undefined);
  });
}

test('an origin that is not in the list or does not match gets no allowance', async (t) => {
  for (const origin of [['http://other.example'], /^https:/, false]) {
    const { answer } = await ask(t, { origin });
    const allowed = answer.headers['access-control-allow-origin'];
    assert.ok(allowed === undefined || allowed === 'false', `${origin}: ${allowed}`);
  }
});

test('credentials', async (t) => {
  const { answer } = await ask(t, { origin: [ORIGIN], credentials: true });
  assert.equal(answer.headers['access-control-allow-credentials'], 'true');
});

test('a preflight is answered 204 with methods, headers and age, without opening a session', async (t) => {
  const { io, url } = await serve(t, {
    cors: {
      origin: [ORIGIN],
      methods: ['GET', 'POST'],
      allowedHeaders: ['x-token', 'content-type'],
      credentials: true,
      maxAge: 600,
    },
  });
  const answer = await request(url + enginePath(), {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-token' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.text, '');
  assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
  assert.equal(answer.headers['access-control-allow-methods'], 'GET,POST');
  assert.equal(answer.headers['access-control-allow-headers'], 'x-token,content-type');
  assert.equal(answer.headers['access-control-allow-credentials'], 'true');
  assert.equal(answer.headers['access-control-max-age'], '600');
  assert.equal(io.engine.clientsCount, 0);
});

test('a preflight without allowedHeaders repeats what was asked for', async (t) => {
  const { url } = await serve(t, { cors: { origin: '*' } });
  const answer = await request(url + enginePath(), {
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-a,x-b' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers['access-control-allow-headers'], 'x-a,x-b');
  assert.equal(answer.headers['access-control-allow-methods'], 'GET,HEAD,PUT,PATCH,POST,DELETE');
});

test('exposed headers', async (t) => {
  const { answer } = await ask(t, { origin: '*', exposedHeaders: ['x-one', 'x-two'] });
  assert.equal(answer.headers['access-control-expose-headers'], 'x-one,x-two');
});

test('the headers are also on polls, posts and refusals', async (t) => {
  const { url } = await serve(t, { cors: { origin: [ORIGIN], credentials: true } });
  const session = await openPolling(url, { origin: ORIGIN });
  const posted = await session.post('40', { headers: { origin: ORIGIN, 'content-type': 'text/plain' } });
  const polled = await session.get({ headers: { origin: ORIGIN } });
  const refused = await request(url + enginePath('EIO=4&transport=polling&sid=unknown'), { headers: { origin: ORIGIN } });
  assert.deepEqual([posted.status, polled.status, refused.status], [200, 200, 400]);
  for (const answer of [posted, polled, refused]) {
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
  }
});
