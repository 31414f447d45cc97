// What a call costs.
//
// "Cost: scalar/enum 0, object 1, interface/union max of selections, connection sized by first/last, mutation 10. Charged
// requestedQueryCost, refunded down to actualQueryCost." (2.3) Where the facts are silent: a plain list is its elements (as many as
// its names, ids or first ask for; inside the payload of a mutation as many as the longest list of its input), a connection without
// nodes is one object, userErrors and the payload itself are part of the mutation's 10, pageInfo and edges of their connection.
import { graphql } from './graphql.mjs';

const { getNamedType, getNullableType, isLeafType, isListType, isAbstractType, isObjectType } = graphql;
const kFree = new Set(['userErrors', 'pageInfo', '__typename']);
export const kCostMax = 1000;
const kMutation = 10;

function longestList(value) {
  if (Array.isArray(value)) return Math.max(value.length, ...value.map(longestList));
  if (value && typeof value === 'object') return Math.max(0, ...Object.values(value).map(longestList));
  return 0;
}

class Walk {
  constructor({ schema, fragments, variables, onField }) {
    Object.assign(this, { schema, fragments, variables, onField });
  }

  // Fields by the type they are selected on, fragments opened.
  selections(set, parent, found = []) {
    for (const selection of set?.selections ?? []) {
      if (!this.included(selection)) continue;
      if (selection.kind === 'Field') {
        found.push({ node: selection, parent });
        continue;
      }
      const fragment = selection.kind === 'FragmentSpread' ? this.fragments[selection.name.value] : selection;
      const condition = fragment.typeCondition ? this.schema.getType(fragment.typeCondition.name.value) : parent;
      this.selections(fragment.selectionSet, condition, found);
    }
    return found;
  }
  included(node) {
    const value = (name) => graphql.getDirectiveValues(graphql[name], node, this.variables)?.if;
    return node.directives?.length ? value('GraphQLSkipDirective') !== true && value('GraphQLIncludeDirective') !== false : true;
  }
  field(node, parent) {
    return node.name.value.startsWith('__') ? undefined : parent.getFields?.()[node.name.value];
  }
  argumentsOf(definition, node) {
    return graphql.getArgumentValues(definition, node, this.variables);
  }

  // What one object of a type costs beneath itself.
  children(sets, parent, context, data) {
    const fields = sets.flatMap((set) => this.selections(set, parent));
    if (!isAbstractType(parent)) return this.sum(fields, context, data);
    if (data !== undefined) return this.sum(fields, context, data);
    // "interface/union max of selections": what every type has, and the dearest of the concrete types.
    let shared = 0;
    const byType = new Map();
    for (const field of fields) {
      const cost = this.one(field, context);
      if (isObjectType(field.parent)) byType.set(field.parent, (byType.get(field.parent) ?? 0) + cost);
      else shared += cost;
    }
    return shared + Math.max(0, ...byType.values());
  }
  sum(fields, context, data) {
    let total = 0;
    const counted = new Set();
    for (const field of fields) {
      const key = field.node.alias?.value ?? field.node.name.value;
      if (data !== undefined) {
        if (!(key in data) || counted.has(`${key}`)) continue;
        counted.add(key);
      }
      total += this.one(field, context, data?.[key]);
    }
    return total;
  }

  // `data` undefined: the most it can be. Otherwise what it was.
  one({ node, parent }, context, data) {
    const name = node.name.value;
    const definition = this.field(node, parent);
    if (!definition || kFree.has(name)) return 0;
    const type = getNamedType(definition.type);
    if (isLeafType(type)) return 0;
    const real = data !== undefined;
    if (type.name.endsWith('Connection')) return this.connection(node, definition, type, context, data);
    if (isListType(getNullableType(definition.type))) {
      if (real)
        return (data ?? []).reduce((total, element) => total + (element ? 1 + this.children([node.selectionSet], type, context, element) : 1), 0);
      const size = this.sizeOf(this.argumentsOf(definition, node)) ?? context.listSize;
      return size * (1 + this.children([node.selectionSet], type, context));
    }
    if (real && data === null) return 1;
    return 1 + this.children([node.selectionSet], type, context, data);
  }
  sizeOf({ names, ids, first, last }) {
    return names?.length ?? ids?.length ?? first ?? last;
  }

  connection(node, definition, type, context, data) {
    const parts = this.selections(node.selectionSet, type);
    const real = data !== undefined;
    let total = 0;
    let paged = false;
    for (const part of parts) {
      const name = part.node.name.value;
      if (name !== 'nodes' && name !== 'edges') continue;
      paged = true;
      const list = this.field(part.node, type);
      const element = getNamedType(list.type);
      const elements = real ? ((data ?? {})[part.node.alias?.value ?? name] ?? []) : null;
      const count = this.sizeOf(this.argumentsOf(definition, node)) ?? 0;
      const one = (value) => {
        if (name === 'nodes') return 1 + this.children([part.node.selectionSet], element, context, value);
        const nodeType = getNamedType(element.getFields().node.type);
        const inner = this.selections(part.node.selectionSet, element).filter((field) => field.node.name.value === 'node');
        const key = inner[0]?.node.alias?.value ?? 'node';
        return (
          1 +
          this.children(
            inner.map((field) => field.node.selectionSet),
            nodeType,
            context,
            value === undefined ? undefined : value?.[key],
          )
        );
      };
      total += real ? elements.reduce((sum, value) => sum + one(value ?? undefined), 0) : count * one(undefined);
    }
    return paged ? total : 1;
  }

  operation(operation, data) {
    const mutation = operation.operation === 'mutation';
    const root = mutation ? this.schema.getMutationType() : this.schema.getQueryType();
    let total = 0;
    for (const field of this.selections(operation.selectionSet, root)) {
      const { node } = field;
      const key = node.alias?.value ?? node.name.value;
      if (!mutation) {
        if (data === undefined) total += this.one(field, { listSize: 1 });
        else if (key in data) total += this.one(field, { listSize: 1 }, data[key]);
        continue;
      }
      const definition = this.field(node, root);
      if (!definition) continue;
      const context = { listSize: Math.max(1, longestList(this.argumentsOf(definition, node))) };
      const payload = getNamedType(definition.type);
      if (data === undefined) total += kMutation + this.children([node.selectionSet], payload, context);
      else total += kMutation + (data[key] ? this.children([node.selectionSet], payload, context, data[key]) : 0);
    }
    return total;
  }
}

export function requestedCost(call) {
  return new Walk(call).operation(call.operation);
}
export function actualCost(call, data, requested) {
  return Math.min(requested, data ? new Walk(call).operation(call.operation, data) : 0);
}
