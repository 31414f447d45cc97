// The fields of QueryRoot.
import { utcText } from '../clock.mjs';
import { gid, numberOf, typeOf } from '../ids.mjs';
import { kNames, kStored } from '../stock/levels.mjs';
import { kCandidate, kVersions, refuse } from './graphql.mjs';
import { Connection, listed } from './paging.mjs';
import { bounds, matcher, onlyValues, parseSearch } from './search.mjs';

const kSixtyDaysMs = 60 * 24 * 3600 * 1000;
const kSortKeys = {
  UPDATED_AT: (record) => record.updated,
  CREATED_AT: (record) => record.created,
  PROCESSED_AT: (record) => Date.parse(record.body.processed_at ?? record.body.created_at),
  ID: () => 0,
  ORDER_NUMBER: (record) => record.body.order_number ?? 0,
};

function orderFields(shop) {
  const statuses = ({ body }) => {
    const found = ['any'];
    if (body.cancelled_at) found.push('cancelled');
    if (body.closed_at) found.push('closed');
    else found.push('not_closed');
    if (!body.cancelled_at && !body.closed_at) found.push('open');
    return found;
  };
  return {
    updated_at: ({ updated }) => updated,
    created_at: ({ created }) => created,
    processed_at: ({ body }) => Date.parse(body.processed_at),
    id: ({ id }) => id,
    name: ({ body }) => [body.name, body.name?.replace('#', '')],
    status: statuses,
    financial_status: ({ body }) => body.financial_status,
    fulfillment_status: ({ body }) => ({ partial: 'partial', fulfilled: 'fulfilled' })[body.fulfillment_status] ?? 'unfulfilled',
    po_number: ({ body }) => body.po_number,
    sku: ({ body }) => body.line_items.map(({ sku }) => sku),
    source_name: ({ body }) => body.source_name,
    source_identifier: ({ body }) => body.source_identifier,
    tag: (record) => shop.orders.tagsOf(record),
    test: ({ body }) => String(body.test ?? false),
    email: ({ body }) => body.email,
    customer_id: ({ body }) => (body.customer ? String(body.customer.id) : null),
    location_id: ({ fulfillmentOrders }) => (fulfillmentOrders ?? []).map(({ location }) => String(location.id)),
  };
}

export function queryRoot(shop) {
  const { stock, orders, stockNodes, orderNodes, webhooks, bulk } = shop;

  // "read_orders covers 60 days only; read_all_orders needs approval" (2.2)
  const visible = (record) => shop.scopes.includes('read_all_orders') || record.created >= shop.clock.now() - kSixtyDaysMs;
  const orderAt = (id) => {
    const record = orders.records.get(numberOf(id, 'Order') ?? '');
    return record && visible(record) ? orderNodes.order(record) : null;
  };

  function ordersPage(args, info) {
    const sortKey = kSortKeys[args.sortKey] ?? kSortKeys.ID;
    const tree = parseSearch(args.query);
    const matches = matcher(tree, orderFields(shop), ({ body }) => `${body.name} ${body.email ?? ''}`);
    const limit = bounds(tree, 'updated_at');
    // "The search index lags behind" (2.8 (u)): what has changed within the lag is not found by a query yet.
    const indexed = args.query && shop.searchLagMs ? shop.clock.now() - shop.searchLagMs : Infinity;
    const byUpdate = args.sortKey === 'UPDATED_AT';
    const sorted = byUpdate
      ? orders.byUpdate()
      : [...orders.records.values()].sort((a, b) => sortKey(a) - sortKey(b) || (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
    const list = args.reverse ? [...sorted].reverse() : sorted;
    const sign = args.reverse ? -1 : 1;
    const behind = (record, [at, id]) =>
      sign * (sortKey(record) - at || (BigInt(record.id) < BigInt(id) ? -1 : BigInt(record.id) > BigInt(id) ? 1 : 0)) > 0;
    return new Connection(
      {
        keyOf: (record) => [sortKey(record), record.id],
        node: (record) => orderNodes.order(record),
        *after(from) {
          let low = 0;
          if (from !== undefined) low = firstIndex(list, (record) => behind(record, from));
          else if (byUpdate && !args.reverse && limit.from !== -Infinity) low = firstIndex(list, ({ updated }) => updated >= limit.from);
          for (let index = low; index < list.length; index += 1) {
            const record = list[index];
            if (byUpdate && !args.reverse && record.updated > limit.to) return;
            if (record.updated <= indexed && visible(record) && matches(record)) yield record;
          }
        },
      },
      args,
      info,
    );
  }

  function itemsPage(args, info, node) {
    const tree = parseSearch(args.query);
    const skus = onlyValues(tree, 'sku');
    if (skus) {
      const items = [...new Set(skus.flatMap((sku) => stock.nearSku(sku)))].sort((a, b) => a - b);
      return listed(items, args, info, node, (item) => item);
    }
    const ids = onlyValues(tree, 'id');
    if (ids) {
      const items = [...new Set(ids.map((id) => stock.itemOf(gid('InventoryItem', id)) ?? stock.variantOf(gid('ProductVariant', id))))].filter(
        (item) => item !== null,
      );
      return listed(
        items.sort((a, b) => a - b),
        args,
        info,
        node,
        (item) => item,
      );
    }
    const matches = matcher(
      tree,
      {
        sku: (item) => stock.skus[item],
        id: (item) => stock.itemId(item),
        updated_at: (item) => stock.itemUpdatedAt(item),
        created_at: () => stock.created,
      },
      (item) => stock.skus[item] ?? '',
    );
    return shop.pageItems(args, info, node, matches);
  }

  function fulfillmentOrdersPage(args, info) {
    const matches = matcher(parseSearch(args.query), {
      updated_at: ({ updated }) => updated,
      status: ({ status }) => status,
      id: ({ id }) => id,
      assigned_location_id: ({ location }) => String(location.id),
    });
    const found = [...orders.fulfillmentOrders.values()].filter(
      (order) => (args.includeClosed || !['CLOSED', 'CANCELLED'].includes(order.status)) && matches(order),
    );
    return listed(
      found,
      args,
      info,
      (order) => orderNodes.fulfillmentOrder(order),
      ({ id }) => id,
    );
  }

  const location = (id) => {
    const found = id ? stock.locationOf(id) : stock.byPriority()[0];
    return found ? stockNodes.location(found) : null;
  };
  const item = (id) => {
    const found = stock.itemOf(id);
    return found === null ? null : stockNodes.item(found);
  };
  const variant = (id) => {
    const found = stock.variantOf(id);
    return found === null ? null : stockNodes.variant(found);
  };
  const fulfillmentOrder = (id) => {
    const found = orders.fulfillmentOrders.get(numberOf(id, 'FulfillmentOrder') ?? '');
    return found ? orderNodes.fulfillmentOrder(found) : null;
  };
  const bulkOperation = (id) => {
    const found = bulk.operations.get(id);
    return found ? bulk.node(found) : null;
  };
  const subscription = (id) => {
    const found = webhooks.subscriptions.get(id);
    return found && !found.fromApp ? subscriptionNode(found) : null;
  };

  const byType = {
    Order: orderAt,
    Location: location,
    InventoryItem: item,
    InventoryLevel: (id) => stockNodes.levelById(id),
    ProductVariant: variant,
    Product: (id) => stockNodes.productOf(id),
    FulfillmentOrder: fulfillmentOrder,
    BulkOperation: bulkOperation,
    WebhookSubscription: subscription,
  };
  const node = (id) => {
    const type = typeOf(id);
    if (type === null) throw refuse(`Invalid global id '${id}'`, 'argumentLiteralsIncompatible');
    return byType[type] ? byType[type](id) : orderNodes.part(type, numberOf(id, type));
  };

  return {
    node: ({ id }) => node(id),
    nodes: ({ ids }) => ids.map(node),
    shop: () => ({
      __typename: 'Shop',
      id: gid('Shop', '1'),
      name: shop.alias,
      myshopifyDomain: shop.domain,
      currencyCode: shop.currency,
      ianaTimezone: shop.zone,
      taxesIncluded: false,
      email: 'owner@example.com',
      contactEmail: 'owner@example.com',
      timezoneOffsetMinutes: () => shop.local.offsetMinutes(shop.clock.now()),
      createdAt: utcText(stock.created),
      updatedAt: utcText(stock.created),
    }),
    location: ({ id }) => location(id),
    locations: (args, context, info) => {
      const found = stock.locations.filter(({ active }) => active || args.includeInactive);
      return listed(
        found,
        args,
        info,
        (element) => stockNodes.location(element),
        ({ index }) => index,
      );
    },
    inventoryItem: ({ id }) => item(id),
    inventoryItems: (args, context, info) => itemsPage(args, info, (element) => stockNodes.item(element)),
    inventoryLevel: ({ id }) => stockNodes.levelById(id),
    inventoryProperties: () => ({
      quantityNames: kNames.map((name) => ({
        name,
        displayName: name,
        isInUse: true,
        comprises: name === 'on_hand' ? kStored.filter((part) => part !== 'incoming') : [],
        belongsTo: name !== 'on_hand' && name !== 'incoming' ? ['on_hand'] : [],
      })),
    }),
    product: ({ id }) => stockNodes.productOf(id),
    products: (args, context, info) =>
      listed(
        stock.productItems.map((ignored, index) => index),
        args,
        info,
        (index) => stockNodes.product(index),
        (index) => index,
      ),
    productVariant: ({ id }) => variant(id),
    productVariants: (args, context, info) => itemsPage(args, info, (element) => stockNodes.variant(element)),
    order: ({ id }) => orderAt(id),
    orderByIdentifier: ({ identifier }) => (identifier.id ? orderAt(identifier.id) : null),
    orders: (args, context, info) => ordersPage(args, info),
    // "counts are capped at 25,001" (2.3)
    ordersCount: ({ query }) => {
      const matches = matcher(parseSearch(query), orderFields(shop));
      const count = [...orders.records.values()].filter((record) => visible(record) && matches(record)).length;
      return { count: Math.min(count, 25_001), precision: count > 25_000 ? 'AT_LEAST' : 'EXACT' };
    },
    fulfillmentOrder: ({ id }) => fulfillmentOrder(id),
    fulfillmentOrders: (args, context, info) => fulfillmentOrdersPage(args, info),
    fulfillment: ({ id }) => orderNodes.part('Fulfillment', numberOf(id, 'Fulfillment')),
    refund: ({ id }) => orderNodes.part('Refund', numberOf(id, 'Refund')),
    webhookSubscription: ({ id }) => subscription(id),
    webhookSubscriptions: (args, context, info) => {
      const found = [...webhooks.subscriptions.values()].filter(
        ({ fromApp, topic, uri, format }) =>
          !fromApp && (!args.topics || args.topics.includes(topic)) && (!args.uri || args.uri === uri) && (!args.format || args.format === format),
      );
      return listed(found, args, info, subscriptionNode, ({ number }) => number);
    },
    bulkOperation: ({ id }) => bulkOperation(id),
    bulkOperations: (args, context, info) =>
      listed(
        [...bulk.operations.values()],
        args,
        info,
        (operation) => bulk.node(operation),
        ({ id }) => id,
      ),
    currentBulkOperation: () => {
      const last = [...bulk.operations.values()].at(-1);
      return last ? bulk.node(last) : null;
    },
    currentAppInstallation: () => ({
      __typename: 'AppInstallation',
      id: gid('AppInstallation', '1'),
      accessScopes: shop.scopes.map((handle) => ({ handle, description: handle })),
    }),
    publicApiVersions: () => [
      ...kVersions.map((handle) => ({ handle, displayName: handle, supported: true })),
      { handle: kCandidate, displayName: `${kCandidate} (Release candidate)`, supported: false },
    ],
  };
}

export function subscriptionNode(subscription) {
  const handle = subscription.version ?? '2026-10';
  return {
    __typename: 'WebhookSubscription',
    id: subscription.id,
    legacyResourceId: String(subscription.number),
    topic: subscription.topic,
    uri: subscription.uri,
    callbackUrl: subscription.uri,
    format: subscription.format,
    filter: subscription.filter,
    includeFields: subscription.includeFields,
    metafieldNamespaces: subscription.metafieldNamespaces,
    metafields: [],
    name: subscription.name,
    apiVersion: { handle, displayName: handle, supported: true },
    createdAt: subscription.createdAt,
    updatedAt: subscription.updatedAt,
  };
}

function firstIndex(list, matches) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (matches(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
