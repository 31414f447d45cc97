#!/usr/bin/env node
// Plays a Zendesk account. Prints one JSON line with its addresses when it is ready, then serves until SIGTERM or SIGINT.
import { parseArgs } from 'node:util';
import { Sandbox } from './sandbox.mjs';

const kHelp = `Usage: node tools/sandbox/zendesk/main.mjs [options]

Plays Zendesk's Support API v2, as far as tickets of a program need it. Prints {"ready":true,"url":…,"control_url":…}.

  --host ADDRESS       address to listen on                 (127.0.0.1)
  --port N             port of the API, 0 = any             (0)
  --control-port N     port of the control door, 0 = any    (0)
  --email TEXT         the agent of the API token           (agent@example.com)
  --token TEXT         the API token                        (sandbox-token)
  --per-minute N       calls a minute of the account        (400)
  --help               this text

Control: GET <control_url>/_sandbox/tickets, and what the head of sandbox.mjs lists.
`;

const text = (value) => ({ type: 'string', default: value });
const { values: options } = parseArgs({
  options: {
    host: text('127.0.0.1'),
    port: text('0'),
    'control-port': text('0'),
    email: text('agent@example.com'),
    token: text('sandbox-token'),
    'per-minute': text('400'),
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(kHelp);
  process.exit(0);
}
const sandbox = new Sandbox({ email: options.email, token: options.token, perMinute: Number(options['per-minute']) });
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
try {
  const ready = await sandbox.listen({ host: options.host, port: Number(options.port), controlPort: Number(options['control-port']) });
  process.stdout.write(`${JSON.stringify({ ready: true, ...ready, pid: process.pid })}\n`);
} catch (error) {
  process.stderr.write(`sandbox zendesk: cannot listen: ${error.message}\n`);
  process.exit(2);
}
