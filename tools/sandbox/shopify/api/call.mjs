// One GraphQL call: document, cost, budget, execution. → {status, headers, body, points}; no HTTP here.
import { actualCost, kCostMax, requestedCost } from './cost.mjs';
import { fragmentsOf, graphql, GraphQLError, operationOf, prepare, refuse, schemaOf } from './graphql.mjs';
import { mutationRoot } from './mutations.mjs';

const kInputMax = 250;

// "Input arrays: max 250 items for all APIs." (2.3)
function tooLong(value) {
  if (Array.isArray(value)) return value.length > kInputMax ? value.length : Math.max(0, ...value.map(tooLong));
  if (value && typeof value === 'object') return Math.max(0, ...Object.values(value).map(tooLong));
  return 0;
}

// Members are values or functions; what the sandbox does not play is an error, never a silent null.
function resolveField(source, args, context, info) {
  const strike = context.struck.partial_error;
  if (strike && strike.field === info.fieldName)
    throw refuse(strike.message ?? 'Internal error. Looks like something went wrong on our end.', strike.code ?? 'INTERNAL_SERVER_ERROR');
  const root = info.path.prev === undefined;
  if (root && tooLong(args) > 0)
    throw refuse(`The input array size of ${tooLong(args)} is greater than the maximum allowed of ${kInputMax}.`, 'MAX_INPUT_SIZE_EXCEEDED');
  const member = source?.[info.fieldName];
  if (member === undefined) throw refuse(`the sandbox does not play ${info.parentType.name}.${info.fieldName}`, 'SANDBOX_NOT_PLAYED');
  return typeof member === 'function' ? member.call(source, args, context, info) : member;
}

function formatted(error) {
  const { message, locations, path, extensions } = error;
  return {
    message,
    ...(locations ? { locations: locations.map(({ line, column }) => ({ line, column })) } : {}),
    ...(path ? { path } : {}),
    ...(extensions && Object.keys(extensions).length ? { extensions } : {}),
  };
}

const kRefused = (message, status = 400) => ({ status, headers: {}, body: { errors: message }, points: 0, operationName: 'malformed' });

// What a request asks for, before anything is decided: {document, operation, names} or {refusal}.
export function readRequest(request, schemaName) {
  if (request === null || typeof request !== 'object' || typeof request.query !== 'string')
    return { refusal: kRefused({ query: 'Required parameter missing or invalid' }) };
  const { document, errors, deprecated } = prepare(schemaName, request.query);
  if (errors) return { refusal: { status: 200, headers: {}, body: { errors: errors.map(formatted) }, points: 0, operationName: 'invalid' } };
  const operation = operationOf(document, request.operationName);
  if (!operation)
    return {
      refusal: {
        status: 200,
        headers: {},
        body: { errors: [{ message: request.operationName ? `No operation named "${request.operationName}"` : 'An operation name is required' }] },
        points: 0,
        operationName: 'invalid',
      },
    };
  const roots = operation.selectionSet.selections.filter(({ kind }) => kind === 'Field').map(({ name }) => name.value);
  return {
    document,
    operation,
    deprecated,
    names: [operation.name?.value, ...roots].filter(Boolean),
    operationName: operation.name?.value ?? roots[0] ?? 'anonymous',
  };
}

// Takes what readRequest returned. `struck` are the faults drawn for it.
export async function callNow({ shop, version, schemaName, read, request, struck, baseUrl }) {
  const { document, operation, deprecated, operationName } = read;
  const schema = schemaOf(schemaName);
  const headers = deprecated.length ? { 'X-Shopify-API-Deprecated-Reason': deprecated.join(', ') } : {};
  const { budget } = shop;
  const answer = (body, points = 0) => ({ status: 200, headers, body, points, operationName });
  const coerced = graphql.getVariableValues(schema, operation.variableDefinitions ?? [], request.variables ?? {});
  if (coerced.errors)
    return answer({
      errors: coerced.errors
        .map((error) => formatted(Object.assign(error, {})))
        .map((error) => ({ ...error, extensions: { code: 'INVALID_VARIABLE', ...error.extensions } })),
    });
  const call = { schema, operation, fragments: fragmentsOf(document), variables: coerced.coerced };
  let requested;
  try {
    requested = requestedCost(call);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return answer({ errors: [formatted(error)] });
  }
  const cost = (actual) => ({ cost: { requestedQueryCost: requested, actualQueryCost: actual, throttleStatus: budget.status() } });
  // "One query may request at most 1000 points." (2.3)
  if (requested > kCostMax)
    return answer({
      errors: [
        {
          message: `Query cost is ${requested}, which exceeds the single query max cost limit (${kCostMax}).`,
          extensions: { code: 'MAX_COST_EXCEEDED', cost: requested, maxCost: kCostMax },
        },
      ],
      extensions: cost(null),
    });
  if (struck.drain) budget.drain(struck.drain.points ?? budget.maximum);
  if (!budget.take(requested, operationName, Boolean(struck.throttled)))
    return answer({
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED', documentation: 'https://shopify.dev/api/usage/rate-limits' } }],
      extensions: cost(null),
    });
  if (struck.graphql_error) {
    budget.giveBack(requested, 0);
    const { code = 'INTERNAL_SERVER_ERROR', message = 'Internal error. Looks like something went wrong on our end.' } = struck.graphql_error;
    return answer({ errors: [{ message, extensions: { code } }], extensions: cost(0) });
  }
  const context = { shop, version: version === 'unstable' ? '9999-01' : version, schemaName, struck, baseUrl, operationName };
  const result = await graphql.execute({
    schema,
    document,
    rootValue: operation.operation === 'mutation' ? mutationRoot : shop.queryRoot,
    contextValue: context,
    variableValues: request.variables ?? {},
    operationName: operation.name?.value,
    fieldResolver: resolveField,
  });
  const actual = actualCost(call, result.data, requested);
  budget.giveBack(requested, actual);
  const body = {
    ...(result.data === undefined ? {} : { data: result.data }),
    ...(result.errors ? { errors: result.errors.map(formatted) } : {}),
    extensions: cost(actual),
  };
  for (const error of result.errors ?? [])
    if (error.originalError && !(error.originalError instanceof GraphQLError)) process.stderr.write(`${error.originalError.stack}\n`);
  return answer(body, actual);
}
