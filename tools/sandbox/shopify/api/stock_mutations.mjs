// inventorySetQuantities, inventoryAdjustQuantities, inventoryMoveQuantities, inventoryActivate, inventoryDeactivate, inventoryItemUpdate.
//
// "name: only available or on_hand. quantities <= 250, each (item, location) once, quantity within ±1,000,000,000; all or nothing."
// "changeFromQuantity: expected present value; mismatch -> CHANGE_FROM_QUANTITY_STALE. From 2026-04 the member must be present:
// integer = check, null = no check, missing = error." (2.5, 2.6)
import { utcText } from '../clock.mjs';
import { gid } from '../ids.mjs';
import { kNames } from '../stock/levels.mjs';
import { refuse } from './graphql.mjs';
import { once } from './once.mjs';

const kQuantityMax = 1_000_000_000;
// "Reasons (guide "Manage inventory quantities and states") (u)"
const kReasons = new Set([
  'correction',
  'cycle_count_available',
  'damaged',
  'movement_created',
  'movement_updated',
  'movement_received',
  'movement_canceled',
  'other',
  'promotion',
  'quality_control',
  'received',
  'reservation_created',
  'reservation_updated',
  'reservation_deleted',
  'restock',
  'safety_stock',
  'shrinkage',
]);

function isDocument(uri) {
  const match = /^([a-z][a-z0-9+.-]*):\/{0,2}(.+)$/i.exec(uri ?? '');
  return Boolean(match) && (match[1].toLowerCase() !== 'gid' || /^[^/]+\/[^/]+\/.+$/.test(match[2]));
}

class Check {
  constructor(stock, list) {
    Object.assign(this, { stock, list, errors: [] });
  }
  add(code, message, ...path) {
    this.errors.push({ field: ['input', ...path.map(String)], message, code });
  }
  // The item and location of entry `index`, or null with an error noted.
  place(index, { inventoryItemId, locationId }, prefix = []) {
    const item = this.stock.itemOf(inventoryItemId);
    const location = this.stock.locationOf(locationId);
    if (item === null) this.add('INVALID_INVENTORY_ITEM', 'The specified inventory item could not be found.', this.list, index, 'inventoryItemId');
    else if (!location || !location.active)
      this.add('INVALID_LOCATION', 'The specified location could not be found.', this.list, index, ...prefix, 'locationId');
    else if (this.stock.bundles.has(item))
      this.add(
        'NON_MUTABLE_INVENTORY_ITEM',
        'The specified inventory item is not allowed to be adjusted via API.',
        this.list,
        index,
        'inventoryItemId',
      );
    // "An item not stocked at the location must be activated first; which code reports it is not stated (u)" (2.6)
    else if (!location.levels.isActive(item))
      this.add('INVALID_LOCATION', 'The specified inventory item is not stocked at the location.', this.list, index, ...prefix, 'locationId');
    else return { item, location };
    return null;
  }
  reason(reason) {
    if (!kReasons.has(reason)) this.add('INVALID_REASON', 'The specified reason is invalid.', 'reason');
  }
  document(uri) {
    if (uri !== undefined && uri !== null && !isDocument(uri))
      this.add('INVALID_REFERENCE_DOCUMENT', 'The specified reference document is invalid.', 'referenceDocumentUri');
  }
}

function needsCompare(entries, type, version) {
  if (version < '2026-04') return;
  if (entries.some((entry) => !('changeFromQuantity' in entry)))
    throw refuse(`${type} must include the following argument: changeFromQuantity.`, 'INVALID_FIELD_ARGUMENTS');
}

// A group with the changes as they were, so that a repeated key shows the first result.
function group(context, { reason, referenceDocumentUri = null }, changes) {
  const { shop } = context;
  if (changes.length === 0) return null;
  shop.groups = (shop.groups ?? 0) + 1;
  const nodes = changes.map(({ name, delta, after, item, location, ledgerDocumentUri = null }) => ({
    name,
    delta,
    quantityAfterChange: after,
    ledgerDocumentUri,
    item: () => shop.stockNodes.item(item),
    location: () => shop.stockNodes.location(location),
  }));
  return {
    __typename: 'InventoryAdjustmentGroup',
    id: gid('InventoryAdjustmentGroup', 600_000_000_000 + shop.groups),
    createdAt: utcText(shop.clock.now()),
    reason,
    referenceDocumentUri,
    app: null,
    staffMember: null,
    changes: ({ quantityNames }) => nodes.filter(({ name }) => !quantityNames || quantityNames.includes(name)),
  };
}

// Before 2026-04: compareQuantity, or ignoreCompareQuantity for the whole call.
function compareOf(entry, input, version) {
  if (version >= '2026-04')
    return {
      wanted: entry.changeFromQuantity,
      code: 'CHANGE_FROM_QUANTITY_STALE',
      message: 'The specified change from quantity does not match the persisted quantity.',
    };
  if (input.ignoreCompareQuantity) return { wanted: null };
  return {
    wanted: entry.compareQuantity ?? entry.changeFromQuantity,
    required: true,
    code: 'COMPARE_QUANTITY_STALE',
    message: 'The specified compare quantity does not match the persisted quantity.',
  };
}

function setQuantities(input, context) {
  const { stock } = context.shop;
  const check = new Check(stock, 'quantities');
  if (input.name !== 'available' && input.name !== 'on_hand')
    check.add('INVALID_NAME', "The quantity name must be either 'available' or 'on_hand'.", 'name');
  check.reason(input.reason);
  check.document(input.referenceDocumentUri);
  const seen = new Set();
  const plan = [];
  input.quantities.forEach((entry, index) => {
    const at = ['quantities', index];
    const { quantity } = entry;
    if (quantity > kQuantityMax) check.add('INVALID_QUANTITY_TOO_HIGH', "The total quantity can't be higher than 1,000,000,000.", ...at, 'quantity');
    else if (quantity < -kQuantityMax)
      check.add('INVALID_QUANTITY_TOO_LOW', "The total quantity can't be lower than -1,000,000,000.", ...at, 'quantity');
    else if (quantity < 0) check.add('INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative.", ...at, 'quantity');
    const place = check.place(index, entry);
    const pair = `${entry.inventoryItemId} ${entry.locationId}`;
    if (seen.has(pair))
      check.add(
        'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
        'The combination of inventoryItemId and locationId must be unique.',
        ...at,
        'locationId',
      );
    seen.add(pair);
    if (!place) return;
    const compare = compareOf(entry, input, context.version);
    const present = place.location.levels.get(place.item, input.name === 'on_hand' ? 'on_hand' : 'available');
    if (compare.required && (compare.wanted === undefined || compare.wanted === null))
      check.add(
        'COMPARE_QUANTITY_REQUIRED',
        'The compareQuantity argument must be given to each quantity or ignored using ignoreCompareQuantity.',
        ...at,
        'compareQuantity',
      );
    else if (compare.wanted !== null && compare.wanted !== undefined && compare.wanted !== present) {
      context.shop.stale = (context.shop.stale ?? 0) + 1;
      check.add(compare.code, compare.message, ...at, context.version >= '2026-04' ? 'changeFromQuantity' : 'compareQuantity');
    }
    plan.push({ ...place, quantity, unchecked: compare.wanted === null });
  });
  const culprit = context.struck?.unnamed_pair?.sku;
  if (culprit !== undefined && plan.some(({ item }) => stock.skus[item] === culprit))
    check.add('INVALID_LOCATION', 'The quantity could not be set.');
  if (check.errors.length > 0) return { inventoryAdjustmentGroup: null, userErrors: check.errors };
  const changes = [];
  for (const { item, location, quantity, unchecked } of plan) {
    if (unchecked) context.shop.uncheckedWrites = (context.shop.uncheckedWrites ?? 0) + 1;
    context.shop.pairsWritten = (context.shop.pairsWritten ?? 0) + 1;
    const delta = stock.set(item, location, input.name, quantity, `api ${context.operationName}`);
    if (delta === 0) continue;
    for (const name of ['available', 'on_hand']) changes.push({ name, delta, after: location.levels.get(item, name), item, location });
  }
  return { inventoryAdjustmentGroup: group(context, input, changes), userErrors: [] };
}

function adjustQuantities(input, context) {
  const { stock } = context.shop;
  const check = new Check(stock, 'changes');
  const { name } = input;
  // "committed cannot be written"; on_hand is a sum.
  if (!kNames.includes(name) || name === 'on_hand' || name === 'committed')
    check.add('INVALID_QUANTITY_NAME', 'The specified quantity name is invalid.', 'name');
  check.reason(input.reason);
  check.document(input.referenceDocumentUri);
  const plan = [];
  const totals = new Map();
  input.changes.forEach((entry, index) => {
    const at = ['changes', index];
    // "ledgerDocumentUri per change: required for every quantity name except available, must not be gid://shopify/*" (2.6)
    const ledger = entry.ledgerDocumentUri;
    if (name === 'available' && ledger)
      check.add('INVALID_AVAILABLE_DOCUMENT', 'A ledger document URI is not allowed when adjusting available.', ...at, 'ledgerDocumentUri');
    else if (name !== 'available' && !ledger)
      check.add('INVALID_QUANTITY_DOCUMENT', 'A ledger document URI is required except when adjusting available.', ...at, 'ledgerDocumentUri');
    else if (ledger?.startsWith('gid://shopify/'))
      check.add(
        'INTERNAL_LEDGER_DOCUMENT',
        'Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.',
        ...at,
        'ledgerDocumentUri',
      );
    else if (ledger && !isDocument(ledger))
      check.add('INVALID_LEDGER_DOCUMENT', 'The specified ledger document is invalid.', ...at, 'ledgerDocumentUri');
    const place = check.place(index, entry);
    if (!place || check.errors.length > 0) return;
    const key = `${place.item} ${place.location.index}`;
    const present = totals.get(key) ?? place.location.levels.get(place.item, name);
    if (entry.changeFromQuantity !== null && entry.changeFromQuantity !== undefined && entry.changeFromQuantity !== present)
      check.add(
        'CHANGE_FROM_QUANTITY_STALE',
        'The specified change from quantity does not match the persisted quantity.',
        ...at,
        'changeFromQuantity',
      );
    totals.set(key, present + entry.delta);
    if (present + entry.delta > kQuantityMax)
      check.add('INVALID_QUANTITY_TOO_HIGH', "The quantity can't be higher than 1,000,000,000.", ...at, 'delta');
    if (present + entry.delta < -kQuantityMax)
      check.add('INVALID_QUANTITY_TOO_LOW', "The quantity can't be lower than -1,000,000,000.", ...at, 'delta');
    plan.push({ ...place, delta: entry.delta, ledger });
  });
  if (check.errors.length > 0) return { inventoryAdjustmentGroup: null, userErrors: check.errors };
  const changes = [];
  for (const { item, location, delta, ledger } of plan) {
    stock.change(item, location, { [name]: delta }, `api ${context.operationName}`);
    if (delta === 0) continue;
    changes.push({ name, delta, after: location.levels.get(item, name), item, location, ledgerDocumentUri: ledger });
    if (name !== 'incoming') changes.push({ name: 'on_hand', delta, after: location.levels.get(item, 'on_hand'), item, location });
  }
  return { inventoryAdjustmentGroup: group(context, input, changes), userErrors: [] };
}

// "between states at one location" (2.6)
function moveQuantities(input, context) {
  const { stock } = context.shop;
  const check = new Check(stock, 'changes');
  const movable = (name) => kNames.includes(name) && !['on_hand', 'committed', 'incoming'].includes(name);
  check.reason(input.reason);
  check.document(input.referenceDocumentUri);
  const plan = [];
  input.changes.forEach(({ inventoryItemId, quantity, from, to }, index) => {
    const at = ['changes', index];
    const place = check.place(index, { inventoryItemId, locationId: from.locationId }, ['from']);
    if (from.locationId !== to.locationId) check.add('DIFFERENT_LOCATIONS', 'The quantities cannot be moved between different locations.', ...at);
    if (!movable(from.name) || !movable(to.name)) check.add('INVALID_QUANTITY_NAME', 'The specified quantity name is invalid.', ...at);
    if (from.name === to.name) check.add('SAME_QUANTITY_NAME', 'The quantity names for each change cannot be the same.', ...at);
    if (quantity < 0) check.add('INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative.", ...at, 'quantity');
    if (!place || check.errors.length > 0) return;
    for (const [side, terminal] of [
      ['from', from],
      ['to', to],
    ]) {
      const wanted = terminal.changeFromQuantity;
      if (wanted !== null && wanted !== undefined && wanted !== place.location.levels.get(place.item, terminal.name))
        check.add(
          'CHANGE_FROM_QUANTITY_STALE',
          'The specified change from quantity does not match the persisted quantity.',
          ...at,
          side,
          'changeFromQuantity',
        );
    }
    plan.push({ ...place, quantity, from: from.name, to: to.name });
  });
  if (check.errors.length > 0) return { inventoryAdjustmentGroup: null, userErrors: check.errors };
  const changes = [];
  for (const { item, location, quantity, from, to } of plan) {
    stock.change(item, location, { [from]: -quantity, [to]: quantity }, `api ${context.operationName}`);
    changes.push(
      { name: from, delta: -quantity, after: location.levels.get(item, from), item, location },
      { name: to, delta: quantity, after: location.levels.get(item, to), item, location },
    );
  }
  return { inventoryAdjustmentGroup: group(context, input, changes), userErrors: [] };
}

function activate({ inventoryItemId, locationId, available, onHand }, context) {
  const { stock, stockNodes } = context.shop;
  const item = stock.itemOf(inventoryItemId);
  const location = stock.locationOf(locationId);
  const error = (field, message) => ({ inventoryLevel: null, userErrors: [{ field: [field], message }] });
  if (item === null) return error('inventoryItemId', 'The product could not be found.');
  if (!location || !location.active) return error('locationId', 'The location could not be found.');
  const quantity = available ?? onHand ?? 0;
  if (quantity < 0) return error('available', "The quantity can't be negative.");
  if (location.levels.isActive(item)) {
    if (available !== undefined && available !== null)
      return error('available', 'Not allowed to set available quantity when the item is already active at the location.');
    return { inventoryLevel: stockNodes.level(item, location), userErrors: [] };
  }
  stock.connect(item, location, quantity);
  return { inventoryLevel: stockNodes.level(item, location), userErrors: [] };
}

export const stockMutations = {
  inventorySetQuantities(args, context, info) {
    if (context.version >= '2026-04') needsCompare(args.input.quantities, 'InventoryQuantityInput', context.version);
    return once({ info, args, context, empty: { inventoryAdjustmentGroup: null }, coded: true }, () => setQuantities(args.input, context));
  },
  inventoryAdjustQuantities(args, context, info) {
    needsCompare(args.input.changes, 'InventoryChangeInput', context.version);
    return once({ info, args, context, empty: { inventoryAdjustmentGroup: null }, coded: true }, () => adjustQuantities(args.input, context));
  },
  inventoryMoveQuantities(args, context, info) {
    needsCompare(
      args.input.changes.flatMap(({ from, to }) => [from, to]),
      'InventoryMoveQuantityTerminalInput',
      context.version,
    );
    return once({ info, args, context, empty: { inventoryAdjustmentGroup: null }, coded: true }, () => moveQuantities(args.input, context));
  },
  inventoryActivate(args, context, info) {
    return once({ info, args, context, empty: { inventoryLevel: null }, coded: false }, () => activate(args, context));
  },
  inventoryDeactivate({ inventoryLevelId }, { shop }) {
    const level = shop.stockNodes.levelById(inventoryLevelId);
    if (!level) return { userErrors: [{ field: ['inventoryLevelId'], message: 'The inventory level could not be found.' }] };
    if (!level.canDeactivate)
      return { userErrors: [{ field: ['inventoryLevelId'], message: 'The inventory level has committed or incoming quantities.' }] };
    shop.webhooks.act(() => shop.stock.disconnect(shop.stock.itemOf(level.item().id), shop.stock.locationOf(level.location().id)));
    return { userErrors: [] };
  },
  inventoryItemUpdate({ id, input }, { shop }) {
    const item = shop.stock.itemOf(id);
    if (item === null) return { inventoryItem: null, userErrors: [{ field: ['id'], message: 'The product variant could not be found.' }] };
    if (input.tracked === false) shop.stock.untracked.add(item);
    if (input.tracked === true) shop.stock.untracked.delete(item);
    shop.webhooks.act(() => shop.stock.setSku(item, input.sku ?? shop.stock.skus[item]));
    return { inventoryItem: shop.stockNodes.item(item), userErrors: [] };
  },
};
