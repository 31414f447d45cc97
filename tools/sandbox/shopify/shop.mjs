// One shop: its stock, orders, metafields, tokens, budget, subscriptions and bulk operations.
import { Budget } from './api/budget.mjs';
import { IdempotencyKeys } from './api/idempotency.mjs';
import { OrderNodes } from './api/order_nodes.mjs';
import { Connection } from './api/paging.mjs';
import { StockNodes } from './api/stock_nodes.mjs';
import { BulkOperations } from './bulk.mjs';
import { LocalTime } from './clock.mjs';
import { gid, jsonId, typeOf } from './ids.mjs';
import { Metafields } from './metafields.mjs';
import { Orders } from './orders/orders.mjs';
import { generator } from './random.mjs';
import { kBases, Stock } from './stock/stock.mjs';
import { Tokens } from './tokens.mjs';
import { Webhooks } from './webhooks.mjs';

export const kScopes = [
  'read_orders',
  'write_orders',
  'read_products',
  'write_products',
  'read_inventory',
  'write_inventory',
  'read_locations',
  'read_fulfillments',
  'write_fulfillments',
  'read_merchant_managed_fulfillment_orders',
  'write_merchant_managed_fulfillment_orders',
  'read_customers',
  'read_companies',
  'read_returns',
];

// Options of a shop, all but domain optional: see the README.
export class Shop {
  constructor(given, { clock, faults }) {
    Object.assign(this, { clock, faults, domain: given.domain, currency: given.currency ?? 'EUR', zone: given.timezone ?? 'Europe/Paris' });
    this.alias = given.alias ?? given.domain.split('.')[0];
    this.scopes = given.scopes ?? kScopes;
    this.searchLagMs = given.search_lag_ms ?? 0;
    this.given = given;
    this.random = generator(given.seed ?? 1);
    this.local = new LocalTime(this.zone);
    this.tags = new Map();
    this.budget = new Budget({ clock, ...given });
    this.keys = new IdempotencyKeys(clock);
    this.tokens = new Tokens({
      clock,
      random: this.random,
      tokens: given.tokens ?? ['shpat_sandbox'],
      client_id: given.client_id ?? 'sandbox-client',
      client_secret: given.client_secret ?? 'sandbox-client-secret',
      scopes: this.scopes,
      lifetime_s: given.token_lifetime_s,
    });
    this.webhooks = new Webhooks({
      shop: this,
      clock,
      faults,
      random: this.random,
      secret: given.webhook_secret ?? 'sandbox-secret',
      routes: given.webhook_routes,
      retryPausesMs: given.retry_pauses_ms,
    });
    this.metafields = new Metafields(clock);
    this.stock = new Stock({
      clock,
      onChange: (item, location, names) => this.levelChanged(item, location, names),
      onItem: (item, what) => this.itemChanged(item, what),
    });
    this.orders = new Orders({
      shop: this,
      stock: this.stock,
      clock,
      local: this.local,
      emit: (topic, body) => this.webhooks.emit(topic, body),
      firstOrderId: given.first_order_id,
    });
    this.bulk = new BulkOperations({ shop: this, clock, faults });
    this.stockNodes = new StockNodes(this);
    this.orderNodes = new OrderNodes(this);
    this.oversold = { levels: 0, lowest: 0 };
    this.quiet = true;
    for (const location of given.locations ?? [{ name: 'Main' }]) this.stock.addLocation(location);
    this.quiet = false;
    if (given.webhooks) this.setWebhooks(given.webhooks);
  }

  // {address, topics}: app-specific subscriptions, as a configuration file has them.
  setWebhooks({ address, topics, version }) {
    for (const topic of topics ?? kTopics)
      this.webhooks.subscribe(topic.toUpperCase().replaceAll('/', '_'), { uri: address }, { fromApp: true, version });
  }

  itemNumber(item) {
    return this.stock.itemId(item);
  }
  variantNumber(item) {
    return kBases.ProductVariant + item;
  }
  productNumber(item) {
    return kBases.Product + this.stock.products[item];
  }
  titleOf(item) {
    const product = this.stock.products[item];
    return this.stock.titles.get(product) ?? `Product ${product + 1}`;
  }

  // "inventory_levels/update body: {inventory_item_id, location_id, available, updated_at, admin_graphql_api_id}; only available,
  // no SKU, no variant, no reason" (1.6); a change that leaves available alone sends none.
  levelChanged(item, location, names) {
    const available = location.levels.get(item, 'available');
    if (available < 0) {
      this.oversold.levels += names.includes('available') ? 1 : 0;
      this.oversold.lowest = Math.min(this.oversold.lowest, available);
    }
    if (this.quiet) return;
    const ids = { inventory_item_id: this.itemNumber(item), location_id: location.id };
    const body = () => ({
      ...ids,
      available,
      updated_at: this.local.text(location.levels.changed[item]),
      admin_graphql_api_id: this.stockNodes.levelId(item, location),
    });
    // "inventory_levels/disconnect and all */delete bodies have little more than ids (no updated_at)" (1.6)
    if (names.includes('disconnect')) this.webhooks.emit('inventory_levels/disconnect', () => ids);
    else if (names.includes('connect')) this.webhooks.emit('inventory_levels/connect', body);
    else if (names.includes('available')) this.webhooks.emit('inventory_levels/update', body);
    // "products/update (also fires when ordered, i.e. on stock change)" (1.6)
    if (names.includes('available')) this.webhooks.emit('products/update', () => this.productBody(this.stock.products[item]));
  }
  itemChanged(item, what) {
    if (this.quiet) return;
    const id = this.itemNumber(item);
    if (what === 'delete') {
      this.webhooks.emit('inventory_items/delete', () => ({ id }));
      return;
    }
    const at = this.local.text(this.stock.itemUpdatedAt(item));
    this.webhooks.emit(`inventory_items/${what}`, () => ({
      id,
      sku: this.stock.skus[item],
      created_at: this.local.text(this.stock.created),
      updated_at: at,
      requires_shipping: true,
      cost: null,
      country_code_of_origin: null,
      province_code_of_origin: null,
      harmonized_system_code: null,
      tracked: !this.stock.untracked.has(item),
      country_harmonized_system_codes: [],
      weight_value: 100,
      weight_unit: 'g',
      admin_graphql_api_id: gid('InventoryItem', id),
    }));
  }
  productBody(product) {
    const { first, count } = this.stock.productItems[product];
    const id = kBases.Product + product;
    const variants = Array.from({ length: Math.min(count, 100) }, (ignored, index) => first + index);
    return {
      id,
      title: this.stock.titles.get(product) ?? `Product ${product + 1}`,
      status: 'active',
      created_at: this.local.text(this.stock.created),
      updated_at: this.local.text(this.clock.now()),
      admin_graphql_api_id: gid('Product', id),
      variants: variants.map((item) => ({
        id: this.variantNumber(item),
        product_id: id,
        sku: this.stock.skus[item],
        price: this.stock.prices[item],
        inventory_item_id: this.itemNumber(item),
        admin_graphql_api_id: gid('ProductVariant', this.variantNumber(item)),
      })),
    };
  }
  locationChanged(location, topic) {
    location.updated = Math.floor(this.clock.now() / 1000) * 1000;
    this.webhooks.emit(topic, () => ({
      id: jsonId(String(location.id)),
      name: location.name,
      created_at: this.local.text(location.created),
      updated_at: this.local.text(location.updated),
      country_code: 'FR',
      legacy: false,
      active: location.active,
      admin_graphql_api_id: location.gid,
    }));
  }

  // Pages through all items in the order of their ids.
  pageItems(args, info, node, keep = () => true) {
    const { stock } = this;
    return new Connection(
      {
        keyOf: (item) => item,
        node,
        *after(from) {
          const step = args.reverse ? -1 : 1;
          let item = from === undefined ? (args.reverse ? stock.count - 1 : 0) : from + step;
          for (; item >= 0 && item < stock.count; item += step) if (stock.known(item) !== null && keep(item)) yield item;
        },
      },
      args,
      info,
    );
  }

  exists(owner) {
    switch (typeOf(owner)) {
      case 'Order':
        return this.orders.records.has(owner.split('/').pop());
      case 'Product':
        return this.stockNodes.productOf(owner) !== null;
      case 'ProductVariant':
        return this.stock.variantOf(owner) !== null;
      case 'Location':
        return this.stock.locationOf(owner) !== null;
      default:
        return false;
    }
  }
  tagsOf(id) {
    return [...(this.tags.get(id) ?? [])].sort();
  }
}

export const kTopics = [
  'orders/create',
  'orders/updated',
  'orders/edited',
  'orders/cancelled',
  'orders/paid',
  'orders/fulfilled',
  'orders/partially_fulfilled',
  'orders/delete',
  'refunds/create',
  'order_transactions/create',
  'fulfillments/create',
  'fulfillments/update',
  'fulfillment_orders/order_routing_complete',
  'fulfillment_orders/moved',
  'inventory_levels/update',
  'inventory_levels/connect',
  'inventory_levels/disconnect',
  'inventory_items/create',
  'inventory_items/update',
  'inventory_items/delete',
  'locations/create',
  'locations/update',
  'locations/activate',
  'locations/deactivate',
  'products/create',
  'products/update',
  'products/delete',
  'bulk_operations/finish',
  'app/uninstalled',
];
