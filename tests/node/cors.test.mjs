// Which pages may call: the cors option in all its shapes, on requests and preflights.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, upgraded } from '../support/clients.mjs';
import { serve, serveAttached } from '../support/harness.mjs';
import { enginePath, openPolling, request } from '../support/http.mjs';
import { event } from '../support/wait.mjs';

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
  // What only JavaScript's own engine has.
  ['a RegExp with look-around and a back-reference', { origin: /^http:(\/)\1(?=page)[a-z.]+(?<!test)$/ }, ORIGIN, 'Origin'],
  ['a list in a list', { origin: ['http://x', [/^http:\/\/page/]] }, ORIGIN, 'Origin'],
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

test('what does not match a RegExp gets the other headers', async (t) => {
  for (const origin of [/^https:/, ['http://other.example', /^https:/]]) {
    const { answer } = await ask(t, { origin, credentials: true });
    assert.equal(answer.headers.vary, 'Origin');
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
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

const PREFLIGHT = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-a' };

for (const [name, start] of [['a port', serve], ['a Node HTTP server', serveAttached]]) {
  test(`origin given as a function that decides later, on ${name}`, async (t) => {
    const asked = [];
    const { io, url } = await start(t, {
      cors: {
        origin: (origin, callback) => {
          asked.push(origin);
          setImmediate(() => {
            if (origin === undefined) callback(null, 'http://default.example');
            else if (origin === 'http://broken.example') callback(new Error('no database'));
            else callback(null, origin === ORIGIN ? [/\.example$/] : false);
          });
        },
        methods: ['GET'],
        credentials: true,
        exposedHeaders: 'x-b',
      },
    });
    const ask = (origin, rest = {}) =>
      request(url + enginePath(), { ...rest, headers: { ...(origin ? { origin } : {}), ...rest.headers } });

    const allowed = await ask(ORIGIN);
    assert.equal(allowed.status, 200);
    assert.equal(allowed.headers['access-control-allow-origin'], ORIGIN);
    assert.equal(allowed.headers['access-control-allow-credentials'], 'true');
    assert.equal(allowed.headers['access-control-expose-headers'], 'x-b');
    assert.equal(allowed.headers.vary, 'Origin');

    const fixed = await ask(undefined);
    assert.equal(fixed.headers['access-control-allow-origin'], 'http://default.example');

    const other = await ask('http://other.test');
    assert.equal(other.status, 200);
    for (const header of Object.keys(other.headers)) assert.ok(!header.startsWith('access-control'), header);

    const preflight = await ask(ORIGIN, { method: 'OPTIONS', headers: PREFLIGHT });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-methods'], 'GET');
    assert.equal(preflight.headers['access-control-allow-headers'], 'x-a');
    assert.equal(preflight.headers['access-control-expose-headers'], 'x-b');

    const told = event(io.engine, 'connection_error');
    const broken = await ask('http://broken.example');
    assert.equal(broken.status, 400);
    assert.deepEqual(broken.json(), { code: 3, message: 'Bad request' });
    const [{ code, context, req }] = await told;
    assert.equal(code, 3);
    assert.equal(context.name, 'MIDDLEWARE_FAILURE');
    assert.equal(req.headers.origin, 'http://broken.example');
    assert.deepEqual(asked, [ORIGIN, undefined, 'http://other.test', ORIGIN, 'http://broken.example']);
  });

  test(`cors given as a function of the request, on ${name}`, async (t) => {
    const { url } = await start(t, {
      cors: (req, callback) => {
        if (req.url.includes('fail')) return callback(new Error('no rules'));
        const rules = req.headers['x-app'] === 'one' ? { origin: true, optionsSuccessStatus: 200 } : { origin: false };
        return process.nextTick(callback, null, rules);
      },
    });
    const at = url + enginePath();
    const one = await request(at, { headers: { origin: ORIGIN, 'x-app': 'one' } });
    assert.equal(one.headers['access-control-allow-origin'], ORIGIN);
    const none = await request(at, { headers: { origin: ORIGIN } });
    assert.equal(none.status, 200);
    assert.equal(none.headers['access-control-allow-origin'], undefined);
    const preflight = await request(at, { method: 'OPTIONS', headers: { origin: ORIGIN, 'x-app': 'one', ...PREFLIGHT } });
    assert.equal(preflight.status, 200);
    assert.equal(preflight.headers['access-control-allow-origin'], ORIGIN);
    const unanswered = await request(at, { method: 'OPTIONS', headers: { origin: ORIGIN, ...PREFLIGHT } });
    assert.equal(unanswered.status, 400);
    assert.deepEqual(unanswered.json(), { code: 2, message: 'Bad handshake method' });
    assert.equal((await request(`${at}&fail=1`)).status, 400);
    // A session works through it, upgrades included.
    const client = await connect(url, { transport: 'upgrade', extraHeaders: { 'x-app': 'one' } });
    await upgraded(client);
  });
}

test('preflightContinue leaves the preflight to the engine', async (t) => {
  const { url } = await serve(t, { cors: { origin: ORIGIN, preflightContinue: true } });
  const answer = await request(url + enginePath(), { method: 'OPTIONS', headers: { origin: ORIGIN, ...PREFLIGHT } });
  assert.equal(answer.status, 400);
  assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
  assert.equal(answer.headers['access-control-allow-methods'], 'GET,HEAD,PUT,PATCH,POST,DELETE');
});
