// Stock as GraphQL shows it: objects whose members are values or functions (args, context, info).
import { utcText } from '../clock.mjs';
import { gid, numberOf } from '../ids.mjs';
import { kNames } from '../stock/levels.mjs';
import { kBases } from '../stock/stock.mjs';
import { refuse } from './graphql.mjs';
import { listed } from './paging.mjs';
import { matcher, parseSearch } from './search.mjs';

export class StockNodes {
  constructor(shop) {
    this.shop = shop;
    this.stock = shop.stock;
  }

  quantity(item, location, name) {
    const { levels } = location;
    return {
      __typename: 'InventoryQuantity',
      id: () => gid('InventoryQuantity', `${kBases.InventoryLevel + location.index}?inventory_item_id=${this.stock.itemId(item)}&name=${name}`),
      name,
      quantity: levels.get(item, name),
      // One time for all states of a level: which of them changed last is not kept.
      updatedAt: () => utcText(levels.changed[item]),
    };
  }

  levelId(item, location) {
    return gid('InventoryLevel', `${kBases.InventoryLevel + location.index}?inventory_item_id=${this.stock.itemId(item)}`);
  }

  level(item, location) {
    const { levels } = location;
    return {
      __typename: 'InventoryLevel',
      id: this.levelId(item, location),
      isActive: levels.isActive(item),
      canDeactivate: levels.get(item, 'committed') === 0 && levels.get(item, 'incoming') === 0,
      deactivationAlert: null,
      createdAt: () => utcText(levels.connected[item]),
      updatedAt: () => utcText(levels.changed[item]),
      item: () => this.item(item),
      location: () => this.location(location),
      quantities: ({ names }) =>
        names.map((name) => {
          if (!kNames.includes(name)) throw refuse(`The quantity name "${name}" is invalid.`, 'INVALID_QUANTITY_NAME');
          return this.quantity(item, location, name);
        }),
      scheduledChanges: (args, context, info) => listed([], args, info),
    };
  }
  levelById(text) {
    const number = numberOf(text, 'InventoryLevel');
    const itemNumber = /[?&]inventory_item_id=(\d+)/.exec(text ?? '')?.[1];
    const location = this.stock.locations[Number(number) - kBases.InventoryLevel];
    const item = itemNumber === undefined ? null : this.stock.known(Number(itemNumber) - kBases.InventoryItem);
    return location && item !== null && location.levels.isKnown(item) ? this.level(item, location) : null;
  }

  levelsOf(item, includeInactive) {
    return this.stock.locations.filter(({ levels }) => (includeInactive ? levels.isKnown(item) : levels.isActive(item)));
  }

  item(item) {
    const { stock } = this;
    return {
      __typename: 'InventoryItem',
      id: gid('InventoryItem', stock.itemId(item)),
      legacyResourceId: String(stock.itemId(item)),
      sku: stock.skus[item],
      tracked: !stock.untracked.has(item),
      requiresShipping: true,
      createdAt: () => utcText(stock.created),
      updatedAt: () => utcText(stock.itemUpdatedAt(item)),
      countryCodeOfOrigin: null,
      provinceCodeOfOrigin: null,
      harmonizedSystemCode: null,
      inventoryHistoryUrl: null,
      unitCost: null,
      // How many other items have the same SKU.
      duplicateSkuCount: () => (stock.skus[item] === null ? 0 : stock.withSku(stock.skus[item]).length - 1),
      locationsCount: () => ({ count: this.levelsOf(item).length, precision: 'EXACT' }),
      measurement: () => ({ id: gid('InventoryItemMeasurement', stock.itemId(item)), weight: { unit: 'GRAMS', value: 100 } }),
      trackedEditable: () => ({ locked: false, reason: null }),
      variant: () => this.variant(item),
      variants: (args, context, info) => listed([item], args, info, (element) => this.variant(element)),
      inventoryLevel: ({ locationId, includeInactive }) => {
        const location = stock.locationOf(locationId);
        if (!location) return null;
        return location.levels.isActive(item) || (includeInactive && location.levels.isKnown(item)) ? this.level(item, location) : null;
      },
      inventoryLevels: (args, context, info) =>
        listed(
          this.levelsOf(item, args.includeInactive),
          args,
          info,
          (location) => this.level(item, location),
          ({ index }) => index,
        ),
    };
  }

  variant(item) {
    const { stock, shop } = this;
    const total = (name) => stock.locations.reduce((sum, { levels }) => sum + (levels.isActive(item) ? levels.get(item, name) : 0), 0);
    return {
      __typename: 'ProductVariant',
      id: gid('ProductVariant', shop.variantNumber(item)),
      legacyResourceId: String(shop.variantNumber(item)),
      sku: stock.skus[item],
      title: 'Default Title',
      displayName: `${shop.titleOf(item)} - Default Title`,
      price: stock.prices[item],
      compareAtPrice: null,
      barcode: null,
      taxable: true,
      position: 1,
      inventoryPolicy: 'DENY',
      createdAt: utcText(stock.created),
      updatedAt: utcText(stock.itemUpdatedAt(item)),
      inventoryQuantity: () => total('available'),
      sellableOnlineQuantity: () => Math.max(0, total('available')),
      availableForSale: () => total('available') > 0,
      inventoryItem: () => this.item(item),
      product: () => this.product(stock.products[item]),
      ...shop.metafields.membersOf(gid('ProductVariant', shop.variantNumber(item))),
    };
  }

  product(product) {
    const { stock, shop } = this;
    const { first, count } = stock.productItems[product];
    const items = Array.from({ length: count }, (ignored, index) => first + index).filter((item) => stock.known(item) !== null);
    const id = gid('Product', kBases.Product + product);
    return {
      __typename: 'Product',
      id,
      legacyResourceId: String(kBases.Product + product),
      title: stock.titles.get(product) ?? `Product ${product + 1}`,
      handle: `product-${product + 1}`,
      status: 'ACTIVE',
      vendor: 'Sandbox',
      productType: '',
      tags: () => shop.tagsOf(id),
      createdAt: utcText(stock.created),
      updatedAt: utcText(stock.created),
      hasOnlyDefaultVariant: count === 1,
      tracksInventory: true,
      variantsCount: () => ({ count: items.length, precision: 'EXACT' }),
      variants: (args, context, info) =>
        listed(
          items,
          args,
          info,
          (item) => this.variant(item),
          (item) => item,
        ),
      ...shop.metafields.membersOf(id),
    };
  }
  productOf(text) {
    const number = numberOf(text, 'Product');
    const product = Number(number) - kBases.Product;
    return number !== null && this.stock.productItems[product] ? this.product(product) : null;
  }

  location(location) {
    const { stock } = this;
    const { address } = location;
    const stockedItems = () => {
      const found = [];
      for (let item = 0; item < stock.count; item += 1) if (location.levels.isActive(item) && stock.known(item) !== null) found.push(item);
      return found;
    };
    return {
      __typename: 'Location',
      id: location.gid,
      legacyResourceId: String(location.id),
      name: location.name,
      isActive: location.active,
      isPrimary: location.index === 0,
      isFulfillmentService: false,
      fulfillsOnlineOrders: location.online,
      shipsInventory: location.active && location.online,
      activatable: !location.active,
      deactivatable: location.active,
      deletable: false,
      deactivatedAt: location.active ? null : utcText(location.updated),
      addressVerified: false,
      hasActiveInventory: () => stockedItems().length > 0,
      hasUnfulfilledOrders: () => stockedItems().some((item) => location.levels.get(item, 'committed') > 0),
      address: {
        address1: null,
        address2: null,
        city: null,
        country: 'France',
        countryCode: 'FR',
        formatted: [],
        latitude: null,
        longitude: null,
        phone: null,
        province: null,
        provinceCode: null,
        zip: null,
        ...address,
      },
      createdAt: utcText(location.created),
      updatedAt: utcText(location.updated),
      inventoryLevel: ({ inventoryItemId, includeInactive }) => {
        const item = stock.itemOf(inventoryItemId);
        if (item === null) return null;
        return location.levels.isActive(item) || (includeInactive && location.levels.isKnown(item)) ? this.level(item, location) : null;
      },
      inventoryLevels: (args, context, info) => {
        const matches = matcher(parseSearch(args.query), {
          id: (item) => kBases.InventoryLevel + location.index,
          inventory_item_id: (item) => stock.itemId(item),
          created_at: (item) => utcText(location.levels.connected[item]),
          updated_at: (item) => utcText(location.levels.changed[item]),
        });
        return this.shop.pageItems(
          args,
          info,
          (item) => this.level(item, location),
          (item) => location.levels.isActive(item) && matches(item),
        );
      },
      ...this.shop.metafields.membersOf(location.gid),
    };
  }
}
