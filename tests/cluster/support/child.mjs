// Nodes in processes of their own, to be killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/wait.mjs';
import { atEnd } from './at-end.mjs';

const PROGRAM = fileURLToPath(new URL('child-node.mjs', import.meta.url));

export async function startChild(t, settings) {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  atEnd(t, kill);
  const [port] = await within(once(createInterface({ input: child.stdout }), 'line'), 'a child', 15_000);
  return { url: `http://127.0.0.1:${port}`, kill, stream: () => child.stdin.write('go\n') };
}
