// An authority of its own for one test run, and a certificate of it for 127.0.0.1: rustls takes no self-signed authority
// for a server.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

// Writes ca.pem, cert.pem and key.pem into `folder`; gives their texts.
export function makeAuthority(folder) {
  const file = (name) => join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('req', '-x509', ...NEW_KEY, '-days', '2', '-subj', '/CN=Test authority', '-keyout', file('ca-key.pem'), '-out', file('ca.pem'));
  openssl('req', ...NEW_KEY, '-subj', '/CN=localhost', '-keyout', file('key.pem'), '-out', file('request.pem'));
  writeFileSync(file('extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n');
  openssl(
    'x509', '-req', '-in', file('request.pem'), '-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'), '-CAcreateserial',
    '-days', '2', '-extfile', file('extensions'), '-out', file('cert.pem'),
  );
  const text = (name) => readFileSync(file(name), 'utf8');
  return { ca: text('ca.pem'), cert: text('cert.pem'), key: text('key.pem') };
}
