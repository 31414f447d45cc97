// Applies the fault rules that concern single records (refuse_record, lock_record) wherever the server touches a record.
import { lockError, lockNotAvailable, userError } from './errors.mjs';
import { normalisedEmail } from './models/partner.mjs';

// → a function (model, {externalId, values, record}) that throws when a rule strikes; null without such rules.
export function recordGuard(db, faults, { model: calledModel, method }) {
  const rules = faults.recordRules();
  if (rules.length === 0) return null;
  const nameOf = (model, id) => (id ? db.store.externalIds.of(model, id)?.complete_name : undefined);

  const concernsPartner = (rule, id) => {
    const partner = id && db.store.table('res.partner').get(id);
    if (!partner) return false;
    return named(rule, nameOf('res.partner', id)) || mailed(rule, partner.email) || concernsPartner(rule, partner.parent_id);
  };

  return (model, { externalId, values = {}, record }) => {
    for (const rule of rules) {
      if (rule.method && rule.method !== method) continue;
      if (rule.kind === 'refuse_record') {
        if (rule.model && rule.model !== model) continue;
        const external = externalId ?? nameOf(model, record?.id);
        const ref = values.client_order_ref ?? record?.client_order_ref;
        if (named(rule, external) || (rule.refs ?? []).includes(ref)) {
          rule.struck += 1;
          throw userError(rule.message ?? 'The sandbox refuses this record.');
        }
        continue;
      }
      const locked = rule.model ?? 'res.partner';
      const itself = model === locked && (named(rule, externalId ?? nameOf(model, record?.id)) || mailed(rule, values.email ?? record?.email));
      const customer =
        locked === 'res.partner' &&
        ['sale.order', 'account.move'].includes(model) &&
        [values.partner_id, record?.partner_id].some((id) => concernsPartner(rule, id));
      if (itself || customer) {
        rule.struck += 1;
        if (calledModel === model && method === 'load') throw lockNotAvailable(locked.replaceAll('.', '_'));
        throw lockError('Cannot grab a lock on records');
      }
    }
  };
}

const named = (rule, externalId) => externalId !== undefined && externalId !== null && (rule.external_ids ?? []).includes(externalId);
const mailed = (rule, email) => Boolean(email) && (rule.emails ?? []).includes(normalisedEmail(email));
