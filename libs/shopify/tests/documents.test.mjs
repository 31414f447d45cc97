// Every GraphQL document is valid in the published schema of the configured Admin API version and of the next one, uses nothing
// deprecated, pages every connection, carries @idempotent where Shopify demands it, and states what it costs.
//   node --test libs/shopify/tests/documents.test.mjs        (the schemas: tools/setup/fetch.sh npm)
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const folder = join(here, "../graphql");
const modules = process.env.SYNCLINE_NPM ?? join(root, ".dev/tools/npm");
const graphql = createRequire(join(modules, "package.json"))("graphql");
const { getNamedType, isAbstractType, isListType, isNonNullType, isObjectType, Kind } = graphql;

const data = join(modules, "node_modules/@shopify/dev-mcp/dist/data");
const published = readdirSync(data)
  .map((name) => name.match(/^admin_(.+)\.json\.gz$/)?.[1])
  .filter(Boolean)
  .sort(); // "unstable" sorts behind the dated versions, which is where it belongs.
const configured = readFileSync(join(folder, "API_VERSION"), "utf8").trim();
const schemas = new Map();
function schemaOf(version) {
  if (!schemas.has(version)) {
    const introspection = JSON.parse(gunzipSync(readFileSync(join(data, `admin_${version}.json.gz`))));
    schemas.set(version, graphql.buildClientSchema(introspection.data, { assumeValid: true }));
  }
  return schemas.get(version);
}

// Shopify demands it at run time from 2026-04 on; the schema does not say so.
const idempotent = new Set(["inventorySetQuantities", "inventoryAdjustQuantities", "inventoryMoveQuantities", "inventoryActivate", "refundCreate", "locationActivate", "locationDeactivate"]);

const documents = readdirSync(folder)
  .filter((name) => name.endsWith(".graphql"))
  .map((name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const imports = (text.match(/^# import: (.+)$/m)?.[1] ?? "").split(",").map((part) => part.trim()).filter(Boolean);
    const fragments = imports.map((part) => readFileSync(join(folder, "fragments", `${part}.graphql`), "utf8"));
    return { name: name.slice(0, -".graphql".length), text, ast: graphql.parse([text, ...fragments].join("\n")) };
  });

function fieldsOf(schema, document, enter) {
  const info = new graphql.TypeInfo(schema);
  graphql.visit(document.ast, graphql.visitWithTypeInfo(info, { Field: (node) => enter(node, info) }));
}
const selects = (node, name) => node.selectionSet?.selections.some((part) => part.kind === Kind.FIELD && part.name.value === name);

// Points by Shopify's published rules: an object 1, a connection what its first page may hold, a mutation 10. Lists without a
// size count as one: only the reply tells what they cost.
function costOf(schema, document) {
  const fragments = Object.fromEntries(document.ast.definitions.filter((part) => part.kind === Kind.FRAGMENT_DEFINITION).map((part) => [part.name.value, part]));
  const operation = document.ast.definitions.find((part) => part.kind === Kind.OPERATION_DEFINITION);
  const inside = (set, type) => {
    const own = { always: 0, branches: new Map() };
    const add = (selections, here) => {
      for (const part of selections) {
        if (part.kind === Kind.FIELD) {
          const field = here.getFields?.()[part.name.value];
          if (!field || !part.selectionSet) continue;
          const named = getNamedType(field.type);
          const first = part.arguments.find((argument) => argument.name.value === "first")?.value.value;
          let points;
          if (named.name.endsWith("Connection")) {
            const nodes = part.selectionSet.selections.find((child) => child.name?.value === "nodes");
            points = 1 + Number(first) * (1 + inside(nodes.selectionSet, getNamedType(named.getFields().nodes.type)));
            if (selects(part, "pageInfo")) points += 1;
          } else {
            points = 1 + inside(part.selectionSet, named);
          }
          if (here === type) own.always += points;
          else own.branches.set(here.name, (own.branches.get(here.name) ?? 0) + points);
        } else {
          const condition = part.kind === Kind.INLINE_FRAGMENT ? part.typeCondition : fragments[part.name.value].typeCondition;
          const selectionsOf = part.kind === Kind.INLINE_FRAGMENT ? part.selectionSet : fragments[part.name.value].selectionSet;
          add(selectionsOf.selections, condition ? schema.getType(condition.name.value) : here);
        }
      }
    };
    add(set.selections, type);
    return own.always + Math.max(0, ...own.branches.values());
  };
  const mutation = operation.operation === "mutation";
  return (mutation ? 10 : 0) + inside(operation.selectionSet, mutation ? schema.getMutationType() : schema.getQueryType()) - (mutation ? 1 : 0);
}

test("the package holds the configured version and one after it", () => {
  assert.ok(published.includes(configured), `${configured} is not among ${published.join(", ")}`);
  assert.ok(published.indexOf(configured) + 1 < published.length, `nothing newer than ${configured} is published`);
});

for (const version of [configured, published[published.indexOf(configured) + 1]]) {
  for (const document of documents) {
    test(`${version}: ${document.name} is valid`, () => {
      const schema = schemaOf(version);
      assert.deepEqual(graphql.validate(schema, document.ast).map(String), []);
      fieldsOf(schema, document, (node, info) => {
        const field = info.getFieldDef();
        assert.ok(field && !field.deprecationReason, `${document.name}: ${node.name.value} is deprecated in ${version}: ${field?.deprecationReason}`);
      });
    });
  }
}

for (const document of documents) {
  const schema = schemaOf(configured);
  const operation = document.ast.definitions.find((part) => part.kind === Kind.OPERATION_DEFINITION);
  test(`${document.name} is the only operation of its file and named like it`, () => {
    assert.equal(document.ast.definitions.filter((part) => part.kind === Kind.OPERATION_DEFINITION).length, 1);
    assert.equal(operation.name.value, document.name);
  });
  test(`${document.name} pages every connection`, () => {
    fieldsOf(schema, document, (node, info) => {
      const type = getNamedType(info.getType());
      if (!type.name.endsWith("Connection")) return;
      assert.ok(node.arguments.some((argument) => argument.name.value === "first"), `${node.name.value} has no first`);
      assert.ok(selects(node, "nodes") && selects(node, "pageInfo"), `${node.name.value} needs nodes and pageInfo`);
      // Either its own document pages on by a variable, or there is a document for the further pages of this member.
      const after = node.arguments.find((argument) => argument.name.value === "after");
      const parent = info.getParentType().name;
      const page = `${parent}${node.name.value[0].toUpperCase()}${node.name.value.slice(1)}Page`;
      assert.ok(after?.value.kind === Kind.VARIABLE || documents.some((other) => other.name === page), `no ${page}.graphql for the further pages`);
    });
  });
  test(`${document.name} asks for userErrors and an idempotency key where there is one`, () => {
    if (operation.operation !== "mutation") return;
    for (const field of operation.selectionSet.selections) {
      assert.ok(selects(field, "userErrors"), `${field.name.value} does not select userErrors`);
      const errors = field.selectionSet.selections.find((part) => part.name.value === "userErrors");
      const type = getNamedType(schema.getMutationType().getFields()[field.name.value].type).getFields().userErrors.type;
      for (const member of ["field", "message", "code"]) {
        if (getNamedType(type).getFields()[member]) assert.ok(selects(errors, member), `${field.name.value} does not select userErrors.${member}`);
      }
      assert.equal(field.directives.some((part) => part.name.value === "idempotent"), idempotent.has(field.name.value), `@idempotent on ${field.name.value}`);
    }
  });
  test(`${document.name} says what it costs, below Shopify's 1,000 points`, () => {
    const said = document.text.match(/^# cost: (\d+)(?: \+ (\d+) \* items)?$/m);
    assert.ok(said, "no # cost: header");
    const variable = Number(said[2] ?? 0);
    const real = costOf(schema, document);
    const declared = Number(said[1]) + variable;
    assert.ok(declared >= real && declared <= real * 1.2 + 10, `# cost: says ${declared}, the rules say ${real}`);
    assert.ok(real <= 1000, `${real} points`);
  });
}
