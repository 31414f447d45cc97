#!/usr/bin/env node
// Plays a warehouse. Prints one JSON line with its address when it is ready, then serves until SIGTERM or SIGINT.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { Sandbox } from './sandbox.mjs';

const kHelp = `Usage: node tools/sandbox/wms/main.mjs [options]

Holds stock by place and SKU and tells every change to POST /stock/<source>. Prints {"ready":true,"control_url":…}.

  --host ADDRESS         address to listen on                             (127.0.0.1)
  --port N               port of the control door, 0 = any                (0)
  --name NAME            its name, part of epochs and ids                 (wms)
  --url URL              where it tells: http://…/stock/<source>          (nobody)
  --api-key-file FILE    sent as Authorization: Bearer <key>
  --hmac-secret-file F   signs the body: X-Syncline-Hmac-Sha256
  --mode MODE            levels, adjustments or both                      (levels)
  --basis BASIS          physical, or net of its own reservations         (physical)
  --unit TEXT            unit of its quantities                           (none)
  --batch-max N          records in one callback                          (500)
  --flush-ms N           how long a record waits for others               (20)
  --clock-offset-ms N    how far its clock is from this machine's         (0)
  --seed N               for what is random                               (1)
  --help                 this text

Control: GET http://…/_sandbox/ lists what there is: receive, ship, count, snapshots, faults.
`;

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    name: { type: 'string', default: 'wms' },
    url: { type: 'string' },
    'api-key-file': { type: 'string' },
    'hmac-secret-file': { type: 'string' },
    mode: { type: 'string', default: 'levels' },
    basis: { type: 'string', default: 'physical' },
    unit: { type: 'string' },
    'batch-max': { type: 'string', default: '500' },
    'flush-ms': { type: 'string', default: '20' },
    'clock-offset-ms': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  process.stdout.write(kHelp);
  process.exit(0);
}

const secret = (file) => (file ? fs.readFileSync(file, 'utf8').trim() : null);
let sandbox;
try {
  sandbox = new Sandbox({
    name: options.name,
    mode: options.mode,
    basis: options.basis,
    unit: options.unit ?? null,
    url: options.url ?? null,
    apiKey: secret(options['api-key-file']),
    hmacSecret: secret(options['hmac-secret-file']),
    batchMax: Number(options['batch-max']),
    flushMs: Number(options['flush-ms']),
    clockOffsetMs: Number(options['clock-offset-ms']),
    seed: Number(options.seed),
  });
  process.stdout.write(`${JSON.stringify(await sandbox.listen({ host: options.host, port: Number(options.port) }))}\n`);
} catch (error) {
  process.stderr.write(`sandbox wms: ${error.message}\n`);
  process.exit(2);
}
for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => {
    sandbox.close();
    process.exit(0);
  });
