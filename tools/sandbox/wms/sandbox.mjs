// A warehouse with its callbacks and its control door, for the command line and for tests.
import http from 'node:http';
import { Callbacks } from './callbacks.mjs';
import { controlDoor } from './control.mjs';
import { Warehouse } from './warehouse.mjs';

export class Sandbox {
  constructor({ name, mode, basis, unit, clockOffsetMs = 0, ...callbacks }) {
    this.clock = { offsetMs: clockOffsetMs };
    this.callbacks = new Callbacks(callbacks);
    this.warehouse = new Warehouse({
      name,
      mode,
      basis,
      unit,
      now: () => Date.now() + this.clock.offsetMs,
      onChange: (told) => this.callbacks.tell(told),
    });
    this.control = controlDoor(this);
  }

  async listen({ host = '127.0.0.1', port = 0 } = {}) {
    this.server = http.createServer((request, response) => {
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => this.control(request, response, new URL(request.url, 'http://sandbox'), Buffer.concat(chunks).toString('utf8')));
    });
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    const bound = this.server.address().port;
    return {
      ready: true,
      control_url: `http://${host}:${bound}/_sandbox`,
      control_port: bound,
      name: this.warehouse.name,
      mode: this.warehouse.mode,
      basis: this.warehouse.basis,
      pid: process.pid,
    };
  }
  close() {
    this.server?.close();
    this.server?.closeAllConnections();
    this.callbacks.close();
  }
}
