// Which methods a client may call on a model, their arguments, and one call as one transaction.
import { accessError, notFound, unprocessable, valueError } from './errors.mjs';
import { Loader } from './load.mjs';
import { Env } from './orm.mjs';
import { Transaction } from './store.mjs';

const model = (params, required, run) => ({ level: 'model', params, required, run });
const record = (params, required, run) => ({ level: 'record', params, required, run });

const kGeneric = {
  search: model(['domain', 'offset', 'limit', 'order'], 1, (env, name, a) => env.search(name, a.domain, a)),
  search_count: model(['domain', 'limit'], 1, (env, name, a) => env.search(name, a.domain, { limit: a.limit, order: 'id' }).length),
  search_read: model(['domain', 'fields', 'offset', 'limit', 'order'], 0, (env, name, a) =>
    env.read(name, env.search(name, a.domain ?? [], a), a.fields),
  ),
  name_search: model(['name', 'domain', 'operator', 'limit'], 0, (env, name, a) => env.nameSearch(name, a.name ?? '', a)),
  fields_get: model(['allfields', 'attributes'], 0, (env, name, a) => env.fieldsGet(name, a.allfields, a.attributes)),
  load: model(['fields', 'data'], 2, (env, name, a) => new Loader(env, name, a.fields).run(a.data)),
  create: model(['vals_list'], 1, (env, name, a) => {
    const created = (Array.isArray(a.vals_list) ? a.vals_list : [a.vals_list]).map((values) => env.create(name, values).id);
    return Array.isArray(a.vals_list) ? created : created[0];
  }),
  read: record(['fields', 'load'], 0, (env, name, a, ids) => env.read(name, ids, a.fields)),
  write: record(['vals'], 1, (env, name, a, ids) => env.write(name, ids, a.vals)),
  unlink: record([], 0, (env, name, a, ids) => env.unlink(name, ids)),
  exists: record([], 0, (env, name, a, ids) => ids.filter((id) => env.table(name).get(id))),
  get_external_id: record([], 0, (env, name, a, ids) =>
    Object.fromEntries(ids.map((id) => [id, env.db.store.externalIds.of(name, id)?.complete_name ?? ''])),
  ),
  message_post: record(['body', 'message_type', 'subtype_xmlid', 'subject'], 0, () => [1]),
};

const kOfModel = {
  'ir.model.data': {
    check_object_reference: model(['module', 'xml_id', 'raise_on_access_error'], 2, (env, name, a) => {
      const entry = env.db.store.externalIds.find(`${a.module}.${a.xml_id}`);
      if (!entry) throw valueError(`External ID not found in the system: ${a.module}.${a.xml_id}`);
      return [entry.model, entry.res_id];
    }),
  },
  'res.users': { context_get: model([], 0, (env) => ({ lang: 'en_US', tz: env.db.settings.userTimeZone, uid: env.uid })) },
};

const kReading = new Set([
  'search',
  'search_count',
  'search_read',
  'name_search',
  'fields_get',
  'read',
  'exists',
  'get_external_id',
  'check_object_reference',
  'context_get',
]);

export function findMethod(db, modelName, methodName) {
  if (!db.schema.has(modelName)) throw notFound(`the model '${modelName}' does not exist`);
  if (methodName.startsWith('_')) throw accessError(`Private methods (such as '${modelName}.${methodName}') cannot be called remotely.`);
  const special = kOfModel[modelName]?.[methodName] ?? kGeneric[methodName];
  if (special) return special;
  const action = db.behaviours[modelName]?.methods?.[methodName];
  if (!action) throw notFound(`the method '${modelName}.${methodName}' does not exist`);
  return record([], 0, (env, name, a, ids) =>
    action(
      env,
      ids.map((id) => env.existing(name, id)),
    ),
  );
}

// Arguments by name (JSON-2): {ids, context, …rest}.
export function bindByName(spec, modelName, methodName, body) {
  const { ids, context, ...rest } = body;
  if (spec.level === 'model' && ids !== undefined && ids.length !== 0) throw unprocessable(`cannot call ${modelName}.${methodName} with ids`);
  for (const name of Object.keys(rest)) {
    if (!spec.params.includes(name)) throw unprocessable(`got an unexpected keyword argument '${name}'`);
  }
  for (const name of spec.params.slice(0, spec.required)) {
    if (!(name in rest)) throw unprocessable(`missing a required argument: '${name}'`);
  }
  return { ids: ids ?? [], context: context ?? {}, args: rest };
}

// Positional and keyword arguments (execute_kw).
export function bindByPosition(spec, positional, keyword) {
  const { context, ...named } = keyword ?? {};
  const rest = positional.slice();
  let ids = [];
  if (spec.level === 'record') {
    const first = rest.shift() ?? [];
    ids = Array.isArray(first) ? first : [first];
  }
  const args = { ...named };
  rest.forEach((value, at) => {
    args[spec.params[at]] = value;
  });
  for (const name of spec.params.slice(0, spec.required)) {
    if (!(name in args)) {
      const error = valueError(`missing a required argument: '${name}'`);
      error.odooName = 'builtins.TypeError';
      throw error;
    }
  }
  return { ids, context: context ?? {}, args };
}

// One call, one transaction: everything is kept or nothing. → {result, saved}; `saved` resolves when it is on disk.
export function execute(db, { spec, modelName, methodName, bound, limited, startedAt, guard }) {
  const tx = new Transaction(db.store, startedAt);
  try {
    const env = new Env(db, tx, { context: bound.context, limited });
    env.guard = guard;
    const result = spec.run(env, modelName, bound.args, bound.ids);
    if (kReading.has(methodName)) return { result, saved: undefined };
    return { result, saved: db.store.commit(tx) };
  } catch (error) {
    tx.undo();
    throw error;
  }
}
