// Contacts: normalised e-mail, commercial entity, VAT check.
import { accessError, validationError } from '../errors.mjs';

const kEmail = /^[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+$/;
// Shape of a VAT number by country prefix, for the countries the sandbox checks.
const kVat = new Map([
  ['AT', /^ATU\d{8}$/],
  ['BE', /^BE[01]\d{9}$/],
  ['DE', /^DE\d{9}$/],
  ['DK', /^DK\d{8}$/],
  ['ES', /^ES[A-Z0-9]\d{7}[A-Z0-9]$/],
  ['FR', /^FR[A-Z0-9]{2}\d{9}$/],
  ['GB', /^GB(\d{9}|\d{12})$/],
  ['IT', /^IT\d{11}$/],
  ['LU', /^LU\d{8}$/],
  ['NL', /^NL\d{9}B\d{2}$/],
  ['PL', /^PL\d{10}$/],
  ['SE', /^SE\d{12}$/],
]);

export function normalisedEmail(email) {
  if (!email) return null;
  const bracketed = /<([^<>]+)>/.exec(email);
  const address = (bracketed ? bracketed[1] : email).trim().toLowerCase();
  return kEmail.test(address) ? address : null;
}

function checkVat(env, partner) {
  if (!partner.vat || env.context.no_vat_validation) return;
  const country = partner.country_id && env.table('res.country').get(partner.country_id)?.code;
  const prefix = /^[A-Z]{2}/.exec(partner.vat)?.[0] ?? country;
  const shape = kVat.get(prefix);
  const full = partner.vat.startsWith(prefix ?? '') ? partner.vat : `${prefix}${partner.vat}`;
  if (shape && !shape.test(full)) {
    throw validationError(
      `The VAT number [${partner.vat}] for partner [${partner.name ?? ''}] does not seem to be valid. \nNote: the expected format is ${prefix}…`,
    );
  }
}

function derive(env, partner) {
  const parent = partner.parent_id && env.table('res.partner').get(partner.parent_id);
  return {
    email_normalized: normalisedEmail(partner.email),
    vat: partner.vat?.replace(/\s+/g, '').toUpperCase() ?? null,
    commercial_partner_id: parent && !partner.is_company ? (parent.commercial_partner_id ?? parent.id) : partner.id || null,
  };
}

export const partner = {
  mayCreate(env) {
    if (env.limited)
      throw accessError(
        "You are not allowed to create 'Contact' (res.partner) records.\n\nThis operation is allowed for the following groups:\n\t- Contact/Creation",
      );
  },
  prepare(env, record) {
    record.type ??= 'contact';
    record.company_id ??= null;
    Object.assign(record, derive(env, record));
    checkVat(env, record);
    if (record.name === null && record.type === 'contact') {
      throw validationError('Contacts require a name');
    }
  },
  created(env, record) {
    env.set('res.partner', record, derive(env, record));
  },
  mayWrite(env, record, plain) {
    env.guard?.('res.partner', { record, values: plain });
  },
  written(env, record) {
    env.set('res.partner', record, derive(env, record));
    checkVat(env, record);
  },
  computes: {},
  methods: {},
};
