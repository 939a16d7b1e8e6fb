// Starts child-main.mjs and reads the bill: memory, descriptors and CPU of the server alone.
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { destroyAllConnections } from './tcp.mjs';

const MAIN = fileURLToPath(new URL('./child-main.mjs', import.meta.url));
/** USER_HZ, in which /proc counts CPU time: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export class ServerProcess {
  #calls = new Map();
  #nextCall = 0;
  #ends = new Map();
  #endWaiters = new Map();

  /**
   * Every socket joins the rooms `joins`. `descriptors` limits how many files the process may have open.
   * `reportEnds` is what `end()` needs; it costs a message per socket.
   */
  static async start({ options = {}, joins = [], descriptors, reportEnds = false } = {}) {
    const limit = descriptors ? `ulimit -n ${descriptors}; ` : '';
    const child = spawn('/bin/sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, '--expose-gc', MAIN], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, WIRE_CHILD: JSON.stringify({ options, joins, reportEnds }) },
    });
    const server = new ServerProcess(child);
    await new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`the server process ended: ${code ?? signal}`)));
      child.on('message', (message) => {
        if (message.port) {
          server.port = message.port;
          resolve();
        } else {
          server.#take(message);
        }
      });
    });
    return server;
  }

  constructor(child) {
    this.child = child;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => {
      for (const { reject } of this.#calls.values()) reject(new Error(`the server process ended: ${code ?? signal}`));
      resolve(code ?? signal);
    }));
  }

  /** Runs one of child-main.mjs's commands and gives its result. */
  call(command, args) {
    return new Promise((resolve, reject) => {
      const call = this.#nextCall++;
      this.#calls.set(call, { resolve, reject });
      this.child.send({ call, command, args });
    });
  }

  /** How the socket ended: its reason, and the rooms it was still in when the host was told. */
  end(id, ms = 10_000) {
    if (this.#ends.has(id)) return Promise.resolve(this.#ends.get(id));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`socket ${id} was not disconnected within ${ms} ms`)), ms);
      this.#endWaiters.set(id, (end) => { clearTimeout(timer); resolve(end); });
    });
  }

  /** Resident memory in bytes. */
  async rss() {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
  }

  async descriptors() { return (await readdir(`/proc/${this.child.pid}/fd`)).length; }

  /** CPU time, user and system, in seconds. */
  async cpu() {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Asks for the state until `good` accepts it; gives the last state either way. */
  async settle(good, ms = 10_000) {
    const deadline = Date.now() + ms;
    for (;;) {
      const state = await this.call('state');
      if (good(state) || Date.now() > deadline) return state;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop() {
    destroyAllConnections();
    this.child.kill('SIGKILL');
    await this.exited;
  }

  #take(message) {
    if (message.ended) {
      this.#ends.set(message.ended, message);
      this.#endWaiters.get(message.ended)?.(message);
    } else {
      this.#calls.get(message.call).resolve(message.result);
      this.#calls.delete(message.call);
    }
  }
}
