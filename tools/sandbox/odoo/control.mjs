// The control door /_sandbox: what tests use to look inside and to order faults. Not part of any real server.
//
//   GET    /_sandbox/                 this list
//   GET    /_sandbox/health           {"ready": true}
//   GET    /_sandbox/counters         calls by method, concurrency      DELETE resets
//   GET    /_sandbox/faults           rules in force                    POST adds one (or a list), DELETE removes all, DELETE ?id= one
//   GET    /_sandbox/dump?model=M     stored records, many2one as ids, with external_id
//   GET    /_sandbox/orders           sales orders with lines, partners, transfers, invoices written out (?prefix= of the external id)
//   GET    /_sandbox/credit_notes     credit notes with lines written out (?prefix=)
//   GET    /_sandbox/summary          how many of what, and what exactly-once forbids
//   GET    /_sandbox/catalogue        taxes, pricelists, products, warehouses, journals with their ids
//   POST   /_sandbox/stock            changes what lies where (one change or a list): models/stock_quant.mjs
//   POST   /_sandbox/settings         {"latency_ms", "workers", "rounding_method"}
//   POST   /_sandbox/reset            forgets customers, orders, credit notes, faults and counters; keeps the catalogue
import { kKinds } from './faults.mjs';
import { changeStock } from './models/stock_quant.mjs';
import { Env } from './orm.mjs';
import { Transaction } from './store.mjs';

const kDocuments = ['sale.order', 'sale.order.line', 'stock.picking', 'stock.move', 'account.move', 'account.move.line', 'sale.advance.payment.inv'];

// Taxes, pricelists, warehouses, journals, companies and the products that lines other than goods use, with their ids.
export function listCatalogue(db, settings) {
  const rows = (model) => [...db.store.table(model).rows.values()];
  const external = (model, record) => db.store.externalIds.of(model, record.id)?.complete_name ?? null;
  const list = (model, ...fields) =>
    rows(model).map((record) => ({
      id: record.id,
      external_id: external(model, record),
      ...Object.fromEntries(fields.map((field) => [field, record[field]])),
    }));
  const country = (id) => db.store.table('res.country').get(id)?.code ?? null;
  return {
    version: settings.version,
    database: settings.database,
    login: settings.login,
    taxes: rows('account.tax').map((tax) => ({
      id: tax.id,
      key: external('account.tax', tax)?.replace('sandbox.account_tax_', ''),
      name: tax.name,
      rate: tax.amount,
      included: tax.price_include,
      country: country(tax.country_id),
    })),
    pricelists: rows('product.pricelist').map((pricelist) => ({
      id: pricelist.id,
      name: pricelist.name,
      currency: db.store.table('res.currency').get(pricelist.currency_id).name,
    })),
    products: list('product.product', 'default_code', 'name'),
    warehouses: list('stock.warehouse', 'code', 'name'),
    journals: list('account.journal', 'code', 'name', 'type'),
    companies: list('res.company', 'name', 'tax_calculation_rounding_method'),
  };
}

export function controlDoor({ db, faults, counters, settings }) {
  const external = (model, id) => (id ? (db.store.externalIds.of(model, id)?.complete_name ?? null) : null);
  const table = (model) => db.store.table(model);

  function partnerOf(id) {
    const partner = id && table('res.partner').get(id);
    if (!partner) return null;
    const { name, email, phone, street, street2, city, zip, vat, type, is_company: company, parent_id: parent, active } = partner;
    return {
      id,
      external_id: external('res.partner', id),
      name,
      email,
      phone,
      street,
      street2,
      city,
      zip,
      vat,
      type,
      is_company: company,
      active,
      country: table('res.country').get(partner.country_id)?.code ?? null,
      state: table('res.country.state').get(partner.state_id)?.code ?? null,
      parent: external('res.partner', parent),
    };
  }

  const taxesOf = (ids) => ids.map((id) => external('account.tax', id)?.replace('sandbox.account_tax_', '') ?? String(id)).sort();

  function orderOf(order) {
    const lines = table('sale.order.line')
      .by('order_id', order.id)
      .slice()
      .sort((a, b) => a.sequence - b.sequence || a.id - b.id);
    const pickings = table('stock.picking').by('sale_id', order.id);
    return {
      id: order.id,
      external_id: external('sale.order', order.id),
      name: order.name,
      state: order.state,
      locked: Boolean(order.locked),
      client_order_ref: order.client_order_ref,
      origin: order.origin,
      date_order: order.date_order,
      currency: table('res.currency').get(order.currency_id)?.name ?? null,
      pricelist: external('product.pricelist', order.pricelist_id),
      warehouse: table('stock.warehouse').get(order.warehouse_id)?.code ?? null,
      company_id: order.company_id,
      partner: partnerOf(order.partner_id),
      invoice_partner: partnerOf(order.partner_invoice_id),
      shipping_partner: partnerOf(order.partner_shipping_id),
      note: order.note,
      amount_untaxed: order.amount_untaxed,
      amount_tax: order.amount_tax,
      amount_total: order.amount_total,
      lines: lines.map((line) => ({
        external_id: external('sale.order.line', line.id),
        sku: table('product.product').get(line.product_id)?.default_code ?? null,
        name: line.name,
        quantity: line.product_uom_qty,
        price_unit: line.price_unit,
        discount: line.discount,
        display_type: line.display_type,
        taxes: taxesOf(line[db.names.line_taxes]),
        subtotal: line.price_subtotal,
        total: line.price_total,
        delivered: line.qty_delivered,
        invoiced: line.qty_invoiced,
      })),
      pickings: pickings.map((picking) => ({
        state: picking.state,
        moves: table('stock.move')
          .by('picking_id', picking.id)
          .map((move) => ({
            sku: table('product.product').get(move.product_id)?.default_code ?? null,
            quantity: move.product_uom_qty,
            state: move.state,
          })),
      })),
    };
  }

  function moveOf(move) {
    const lines = table('account.move.line')
      .by('move_id', move.id)
      .slice()
      .sort((a, b) => a.sequence - b.sequence || a.id - b.id);
    return {
      id: move.id,
      external_id: external('account.move', move.id),
      name: move.name,
      move_type: move.move_type,
      state: move.state,
      payment_state: move.payment_state,
      ref: move.ref,
      invoice_origin: move.invoice_origin,
      invoice_date: move.invoice_date,
      date: move.date,
      currency: table('res.currency').get(move.currency_id)?.name ?? null,
      partner: partnerOf(move.partner_id),
      reversed_entry: external('account.move', move.reversed_entry_id),
      amount_untaxed: move.amount_untaxed,
      amount_tax: move.amount_tax,
      amount_total: move.amount_total,
      lines: lines.map((line) => ({
        external_id: external('account.move.line', line.id),
        sku: table('product.product').get(line.product_id)?.default_code ?? null,
        name: line.name,
        quantity: line.quantity,
        price_unit: line.price_unit,
        discount: line.discount,
        taxes: taxesOf(line.tax_ids),
        sale_lines: line.sale_line_ids.map((id) => external('sale.order.line', id)),
        subtotal: line.price_subtotal,
        total: line.price_total,
      })),
    };
  }

  function listed(model, write, prefix, keep = () => true) {
    const found = [];
    for (const record of table(model).rows.values()) {
      if (!keep(record) || (prefix && !(external(model, record.id) ?? '').startsWith(prefix))) continue;
      found.push(write(record));
    }
    return found;
  }

  function summary() {
    const orders = { total: 0, by_state: {}, without_external_id: 0, with_several_open_transfers: [], repeated_reference: [] };
    const references = new Map();
    for (const order of table('sale.order').rows.values()) {
      orders.total += 1;
      orders.by_state[order.state] = (orders.by_state[order.state] ?? 0) + 1;
      const name = external('sale.order', order.id);
      if (!name) orders.without_external_id += 1;
      if (
        table('stock.picking')
          .by('sale_id', order.id)
          .filter((picking) => picking.state !== 'done' && picking.state !== 'cancel').length > 1
      )
        orders.with_several_open_transfers.push(name ?? order.name);
      // The same reference for the same customer twice: a duplicate whatever its external id.
      const key = `${order.client_order_ref}|${order.partner_id}|${order.origin}`;
      if (order.client_order_ref && references.has(key)) orders.repeated_reference.push(name ?? order.name);
      references.set(key, order.id);
    }
    let linesWithout = 0;
    for (const line of table('sale.order.line').rows.values()) if (!external('sale.order.line', line.id)) linesWithout += 1;
    const moves = { total: 0, by_type_and_state: {}, without_external_id: 0 };
    for (const move of table('account.move').rows.values()) {
      moves.total += 1;
      const key = `${move.move_type}/${move.state}`;
      moves.by_type_and_state[key] = (moves.by_type_and_state[key] ?? 0) + 1;
      if (!external('account.move', move.id)) moves.without_external_id += 1;
    }
    const partners = { total: 0, without_external_id: 0, repeated_email: [] };
    const mails = new Map();
    for (const partner of table('res.partner').rows.values()) {
      const name = external('res.partner', partner.id);
      if (name?.startsWith('sandbox.')) continue;
      partners.total += 1;
      if (!name) partners.without_external_id += 1;
      if (!partner.email_normalized || partner.parent_id) continue;
      if (mails.has(partner.email_normalized)) partners.repeated_email.push(name ?? partner.id);
      mails.set(partner.email_normalized, partner.id);
    }
    return { orders, lines_without_external_id: linesWithout, account_moves: moves, partners };
  }

  function reset() {
    const tx = new Transaction(db.store);
    for (const model of [...kDocuments, 'res.partner']) {
      for (const record of [...table(model).rows.values()]) {
        if ((external(model, record.id) ?? '').startsWith('sandbox.')) continue;
        table(model).remove(tx, record);
        db.store.externalIds.forget(tx, model, record.id);
      }
    }
    faults.remove();
    counters.reset();
    return db.store.commit(tx);
  }

  function change(body) {
    if (body.latency_ms !== undefined) settings.latencyMs = body.latency_ms;
    if (body.workers !== undefined) settings.workers = body.workers;
    if (body.rounding_method !== undefined) {
      const tx = new Transaction(db.store);
      for (const company of table('res.company').rows.values())
        table('res.company').update(tx, company, { tax_calculation_rounding_method: body.rounding_method });
      db.store.commit(tx);
    }
    return { latency_ms: settings.latencyMs, workers: settings.workers };
  }

  const routes = {
    'GET /_sandbox/health': () => ({ ready: true }),
    'GET /_sandbox/counters': () => counters.report(),
    'DELETE /_sandbox/counters': () => counters.reset() ?? {},
    'GET /_sandbox/faults': () => ({ rules: faults.list(), kinds: kKinds }),
    'POST /_sandbox/faults': (query, body) => ({ ids: (Array.isArray(body) ? body : [body]).map((rule) => faults.add(rule).id) }),
    'DELETE /_sandbox/faults': (query) => faults.remove(query.has('id') ? Number(query.get('id')) : undefined) ?? {},
    'GET /_sandbox/orders': (query) => listed('sale.order', orderOf, query.get('prefix')),
    'GET /_sandbox/credit_notes': (query) => listed('account.move', moveOf, query.get('prefix'), (move) => move.move_type === 'out_refund'),
    'GET /_sandbox/invoices': (query) => listed('account.move', moveOf, query.get('prefix'), (move) => move.move_type === 'out_invoice'),
    'GET /_sandbox/partners': (query) => listed('res.partner', (partner) => partnerOf(partner.id), query.get('prefix')),
    'GET /_sandbox/summary': summary,
    'GET /_sandbox/catalogue': () => listCatalogue(db, settings),
    'GET /_sandbox/dump': (query) => {
      if (!table(query.get('model'))) throw new Error(`unknown model "${query.get('model')}"`);
      return listed(query.get('model'), (record) => ({ external_id: external(query.get('model'), record.id), ...record }), query.get('prefix'));
    },
    'POST /_sandbox/stock': async (query, body) => {
      const tx = new Transaction(db.store);
      const env = new Env(db, tx);
      const done = (Array.isArray(body) ? body : [body]).map((order) => changeStock(env, order));
      await db.store.commit(tx);
      return { done };
    },
    'POST /_sandbox/settings': (query, body) => change(body),
    'POST /_sandbox/reset': async () => (await reset()) ?? {},
  };

  return async (request, response, url, text) => {
    const send = (status, value) => {
      const body = Buffer.from(JSON.stringify(value));
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length, Connection: 'close' });
      response.end(body);
    };
    const route = routes[`${request.method} ${url.pathname.replace(/\/$/, '')}`];
    if (!route) return send(404, { error: 'no such control', routes: Object.keys(routes) });
    try {
      return send(200, await route(url.searchParams, text ? JSON.parse(text) : {}));
    } catch (error) {
      return send(400, { error: error.message });
    }
  };
}
