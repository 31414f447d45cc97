// Bulk queries.
//
// "Query: one top-level connection, <= 5 connections, <= 2 levels deep, nested connection nodes need id, no top-level node/nodes;
// must finish in 10 days; JSONL at url for 7 days; from 2026-01 5 concurrent queries per app and shop. No cost limit. Nested objects
// are separate lines with __parentId." (2.13)
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fragmentsOf, graphql, schemaOf } from './api/graphql.mjs';
import { utcText } from './clock.mjs';
import { gid, toJson } from './ids.mjs';
import { uuidFrom } from './random.mjs';

const { getNamedType, isLeafType, isListType, getNullableType, isAbstractType } = graphql;
const kRunningMax = 5;
const kConnectionsMax = 5;
const kDepthMax = 2;
const kKeptMs = 7 * 24 * 3600 * 1000;
const kChunkBytes = 256 * 1024;

class Invalid extends Error {}

// A selection made ready to be walked over many nodes: no validation, no promises, one pass.
class Plan {
  constructor(schema, fragments) {
    Object.assign(this, { schema, fragments, connections: 0 });
  }
  selection(set, type, depth, steps = [], condition = null) {
    for (const selection of set.selections) {
      if (selection.kind !== 'Field') {
        const fragment = selection.kind === 'FragmentSpread' ? this.fragments[selection.name.value] : selection;
        const on = fragment.typeCondition ? this.schema.getType(fragment.typeCondition.name.value) : type;
        this.selection(fragment.selectionSet, on, depth, steps, isAbstractType(type) && on !== type ? on : condition);
        continue;
      }
      steps.push(this.step(selection, type, depth, condition));
    }
    return steps;
  }
  step(node, type, depth, condition) {
    const name = node.name.value;
    const key = node.alias?.value ?? name;
    if (name === '__typename') return { kind: 'leaf', key, name, condition };
    const definition = type.getFields()[name];
    const args = graphql.getArgumentValues(definition, node, {});
    const named = getNamedType(definition.type);
    if (isLeafType(named)) return { kind: 'leaf', key, name, args, condition };
    if (named.name.endsWith('Connection')) return this.connection({ node, name, args, named, depth, condition });
    const kind = isListType(getNullableType(definition.type)) ? 'list' : 'object';
    return { kind, key, name, args, condition, steps: this.selection(node.selectionSet, named, depth) };
  }
  connection({ node, name, args, named, depth, condition }) {
    this.connections += 1;
    if (depth > kDepthMax) throw new Invalid('Queries that contain nested connections deeper than 2 levels are not supported.');
    if (this.connections > kConnectionsMax) throw new Invalid('Bulk queries cannot contain more than 5 connections.');
    const sets = [];
    const fields = (set, fieldName) =>
      set.selections.flatMap((part) => (part.kind === 'Field' && part.name.value === fieldName ? [part.selectionSet] : []));
    sets.push(...fields(node.selectionSet, 'nodes'), ...fields(node.selectionSet, 'edges').flatMap((set) => fields(set, 'node')));
    if (sets.length !== 1) throw new Invalid(`The connection "${name}" needs exactly one selection of its nodes.`);
    const nodeType = getNamedType(named.getFields().nodes.type);
    const steps = this.selection(sets[0], nodeType, depth + 1);
    if (depth > 0 && !steps.some((step) => step.name === 'id'))
      throw new Invalid(
        `The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' return type. Connection fields without 'id': ${name}.`,
      );
    if (depth === 0 && steps.some(({ kind }) => kind === 'connection') && !steps.some((step) => step.name === 'id'))
      throw new Invalid("The parent 'node' field for a nested connection must select the 'id' field.");
    return { kind: 'connection', name, args: { ...args, everything: true }, condition, steps };
  }
}

export class BulkOperations {
  constructor({ shop, clock, faults }) {
    Object.assign(this, { shop, clock, faults });
    this.operations = new Map();
    this.nextId = 7_000_000_000_000;
    this.folder = null;
  }

  // {operation} or {errors}.
  start(query, schemaName, baseUrl) {
    let root;
    try {
      root = this.validate(query, schemaName);
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      return { errors: [{ field: ['query'], message: error.message, code: 'INVALID' }] };
    }
    const running = [...this.operations.values()].filter(({ status }) => status === 'CREATED' || status === 'RUNNING').length;
    if (running >= kRunningMax)
      return {
        errors: [
          {
            field: null,
            message: `A maximum of ${kRunningMax} bulk query operations can run at the same time for this app and shop.`,
            code: 'LIMIT_REACHED',
          },
        ],
      };
    this.nextId += 1;
    const operation = {
      __typename: 'BulkOperation',
      id: gid('BulkOperation', this.nextId),
      type: 'QUERY',
      status: 'CREATED',
      query,
      errorCode: null,
      created: this.clock.now(),
      createdAt: utcText(this.clock.now()),
      completedAt: null,
      objects: 0,
      roots: 0,
      bytes: 0,
      file: null,
      secret: uuidFrom(this.shop.random),
      baseUrl,
    };
    this.operations.set(operation.id, operation);
    const struck = this.faults.draw('bulk', this.shop, ['bulkOperationRunQuery']);
    operation.cut = Boolean(struck.bulk_cut);
    setTimeout(() => this.run(operation, root, struck), struck.bulk_slow?.ms ?? 0).unref();
    return { operation };
  }

  validate(query, schemaName) {
    const schema = schemaOf(schemaName);
    let document;
    try {
      document = graphql.parse(query);
    } catch (error) {
      throw new Invalid(`Invalid bulk query: ${error.message}`);
    }
    const errors = graphql.validate(schema, document);
    if (errors.length > 0) throw new Invalid(`Invalid bulk query: ${errors[0].message}`);
    const operation = document.definitions.find(({ kind }) => kind === 'OperationDefinition');
    if (operation.operation !== 'query') throw new Invalid('Bulk queries must be queries.');
    const plan = new Plan(schema, fragmentsOf(document));
    const steps = plan.selection(operation.selectionSet, schema.getQueryType(), 0);
    if (steps.length !== 1) throw new Invalid('Bulk queries must contain exactly one top-level field.');
    if (['node', 'nodes'].includes(steps[0].name)) throw new Invalid(`The top-level field "${steps[0].name}" is not supported in bulk queries.`);
    if (steps[0].kind !== 'connection') throw new Invalid('Bulk queries must contain at least one connection.');
    return steps[0];
  }

  async run(operation, root, struck) {
    if (this.closed || operation.status === 'CANCELED') return;
    operation.status = 'RUNNING';
    this.folder ??= fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-shopify-'));
    operation.file = path.join(this.folder, `${operation.secret}.jsonl`);
    const out = fs.openSync(operation.file, 'w');
    let ended = 'COMPLETED';
    try {
      await this.write(operation, root, out, struck.bulk_fail);
    } catch (error) {
      ended = 'FAILED';
      operation.errorCode = error.bulkCode ?? 'INTERNAL_SERVER_ERROR';
      if (!error.bulkCode) process.stderr.write(`${error.stack}\n`);
    }
    fs.closeSync(out);
    if (this.closed) return;
    operation.bytes = fs.statSync(operation.file).size;
    // Whoever reads the end finds the whole file: the status comes last.
    operation.status = operation.status === 'CANCELING' ? 'CANCELED' : ended;
    operation.completed = this.clock.now();
    operation.completedAt = utcText(operation.completed);
    this.announce(operation);
  }
  // "bulk_operations/finish = {admin_graphql_api_id, completed_at, created_at, error_code, status, type} with lower-case values, no URL" (1.6)
  announce(operation) {
    this.shop.webhooks.emit('bulk_operations/finish', () => ({
      admin_graphql_api_id: operation.id,
      completed_at: this.shop.local.text(operation.completed),
      created_at: this.shop.local.text(operation.created),
      error_code: operation.errorCode?.toLowerCase() ?? null,
      status: operation.status.toLowerCase(),
      type: 'query',
    }));
  }

  async write(operation, root, out, fail) {
    const context = { shop: this.shop, bulk: true };
    let text = '';
    const flush = async () => {
      fs.writeSync(out, text);
      text = '';
      await new Promise((resolve) => setImmediate(resolve));
    };
    const connection = this.shop.queryRoot[root.name](root.args, context, { fieldName: root.name });
    for (const node of connection.all()) {
      if (this.closed || operation.status !== 'RUNNING') return;
      operation.roots += 1;
      for (const line of this.lines(node, root.steps, context, null)) {
        operation.objects += 1;
        text += `${toJson(line)}\n`;
      }
      if (text.length >= kChunkBytes) await flush();
      if (fail && operation.roots >= (fail.after_roots ?? 1)) {
        await flush();
        throw Object.assign(new Error('ordered'), { bulkCode: fail.code ?? 'INTERNAL_SERVER_ERROR' });
      }
    }
    await flush();
  }

  // The line of a node and, behind it, those of its connections.
  *lines(node, steps, context, parent) {
    const line = this.object(node, steps, context);
    if (parent !== null) line.__parentId = parent;
    yield line;
    for (const step of steps) {
      if (step.kind !== 'connection' || !fits(node, step)) continue;
      const connection = read(node, step, context);
      if (connection) for (const child of connection.all()) yield* this.lines(child, step.steps, context, line.id);
    }
  }
  object(node, steps, context) {
    const result = {};
    for (const step of steps) {
      if (step.kind === 'connection' || !fits(node, step)) continue;
      const value = read(node, step, context);
      if (step.kind === 'leaf') result[step.key] = value;
      else if (value === null || value === undefined) result[step.key] = null;
      else if (step.kind === 'list') result[step.key] = value.map((element) => this.object(element, step.steps, context));
      else result[step.key] = this.object(value, step.steps, context);
    }
    return result;
  }

  cancel(operation) {
    if (operation.status === 'CREATED') operation.status = 'CANCELED';
    if (operation.status === 'RUNNING') operation.status = 'CANCELING';
  }

  node(operation) {
    const done = operation.status === 'COMPLETED' && this.clock.now() - operation.completed < kKeptMs;
    const url = `${operation.baseUrl}/bulk/${operation.secret}.jsonl`;
    return {
      ...operation,
      objectCount: String(operation.objects),
      rootObjectCount: String(operation.roots),
      fileSize: operation.completedAt ? String(operation.bytes) : null,
      // An empty result has no file.
      url: done && operation.objects > 0 ? url : null,
      partialDataUrl: operation.status === 'FAILED' && operation.objects > 0 ? url : null,
    };
  }

  // The result behind a link; no token is asked for.
  find(secret) {
    return [...this.operations.values()].find(
      (operation) => operation.secret === secret && operation.completedAt !== null && this.clock.now() - operation.completed < kKeptMs,
    );
  }
  close() {
    this.closed = true;
    if (this.folder) fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

const fits = (node, step) => !step.condition || step.condition.name === node.__typename || isAbstractType(step.condition);
function read(node, step, context) {
  if (step.name === '__typename') return node.__typename;
  const member = node[step.name];
  if (member === undefined) throw new Error(`the sandbox does not play ${node.__typename}.${step.name}`);
  return typeof member === 'function' ? member(step.args, context, { fieldName: step.name }) : member;
}
