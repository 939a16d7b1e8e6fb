// C hosts hear when a client that was away can't come back to its socket any more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../support/clients.mjs';
import { event } from '../support/wait.mjs';
import { LIMIT_MS, host } from './support/program.mjs';

for (const how of ['callbacks', 'poll']) {
  test(`the end of a session reaches a C host with ${how}`, async (t) => {
    const options = { connectionStateRecovery: { maxDisconnectionDuration: 100 }, hooks: { sessions: true } };
    const { url } = await host(t, 'fleet_host', [how, JSON.stringify(options)], { stop: 'stdin' });
    const [stays, goes] = [await connect(url), await connect(url)];
    const { id } = goes;
    const ended = event(stays, 'ended', LIMIT_MS);
    // Cut, not closed: a client that leaves by itself has no session.
    goes.io.engine.close();
    assert.equal((await ended)[0], id);
  });
}
