// graphql-js and Shopify's published schemas, both from the npm tools of the development set-up (tools/setup/fetch.sh npm).
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

const kRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');
const kNpm = path.join(kRoot, '.dev/tools/npm');

function load() {
  try {
    return createRequire(path.join(kNpm, 'package.json'))('graphql');
  } catch (error) {
    throw new Error(`graphql-js is not there (${error.code}); run tools/setup/fetch.sh npm`);
  }
}
export const graphql = load();
export const { GraphQLError } = graphql;

export function refuse(message, code, more = {}) {
  return new GraphQLError(message, { extensions: { code, ...more } });
}

const built = new Map();

// "2026-10" or "unstable" → schema. A third of a second the first time.
export function schemaOf(version) {
  let schema = built.get(version);
  if (!schema) {
    const file = path.join(kNpm, `node_modules/@shopify/dev-mcp/dist/data/admin_${version}.json.gz`);
    const introspection = JSON.parse(zlib.gunzipSync(fs.readFileSync(file)));
    schema = graphql.buildClientSchema(introspection.data, { assumeValid: true });
    built.set(version, schema);
  }
  return schema;
}

// "Supported now: 2026-01, 2026-04, 2026-07, 2026-10 …; 2025-10 is gone; 2027-01 is release candidate" (2.1).
export const kVersions = ['2026-01', '2026-04', '2026-07', '2026-10'];
export const kCandidate = '2027-01';

// What answers to a version of the URL, or null: "An unsupported version falls forward to the oldest supported one" (2.1).
export function resolveVersion(asked, oldest = kVersions[0]) {
  if (asked === 'unstable' || asked === kCandidate) return { version: asked, schema: 'unstable' };
  if (!/^\d{4}-(01|04|07|10)$/.test(asked) || asked > kCandidate) return null;
  const version = asked < oldest || !kVersions.includes(asked) ? kVersions.find((known) => known >= oldest) : asked;
  return { version, schema: version };
}

const kDocumentsMax = 2000;
const documents = new Map();

// Parsed and validated once per version and text. {document} or {errors}.
export function prepare(schemaName, text) {
  const key = `${schemaName}\n${text}`;
  let found = documents.get(key);
  if (!found) {
    found = prepareNow(schemaOf(schemaName), text);
    if (documents.size >= kDocumentsMax) documents.clear();
    documents.set(key, found);
  }
  return found;
}

function prepareNow(schema, text) {
  let document;
  try {
    document = graphql.parse(text, { maxTokens: 20_000 });
  } catch (error) {
    return { errors: [error] };
  }
  const errors = graphql.validate(schema, document);
  if (errors.length > 0) return { errors };
  return { document, deprecated: deprecatedMembers(schema, document) };
}

// "X-Shopify-API-Deprecated-Reason lists deprecated members used" (2.1).
function deprecatedMembers(schema, document) {
  const found = new Set();
  const types = new graphql.TypeInfo(schema);
  graphql.visit(
    document,
    graphql.visitWithTypeInfo(types, {
      Field() {
        const field = types.getFieldDef();
        if (field?.deprecationReason) found.add(`${types.getParentType().name}.${field.name}`);
      },
      Argument() {
        const argument = types.getArgument();
        if (argument?.deprecationReason) found.add(`${types.getFieldDef()?.name}(${argument.name})`);
      },
    }),
  );
  return [...found];
}

// The operation a request means, or null.
export function operationOf(document, name) {
  const operations = document.definitions.filter(({ kind }) => kind === 'OperationDefinition');
  if (name) return operations.find((operation) => operation.name?.value === name) ?? null;
  return operations.length === 1 ? operations[0] : null;
}
export const fragmentsOf = (document) =>
  Object.fromEntries(document.definitions.filter(({ kind }) => kind === 'FragmentDefinition').map((fragment) => [fragment.name.value, fragment]));
