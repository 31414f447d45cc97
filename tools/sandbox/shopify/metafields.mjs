// Metafields and tags of whatever has a gid.
//
// metafieldsSet: "<= 25 a call, <= 10 MB, atomic; compareDigest: digest = must match, null = must not exist yet, absent = no check;
// stale -> STALE_OBJECT/INVALID_COMPARE_DIGEST. Values are always strings." (2.7)
import crypto from 'node:crypto';
import { utcText } from './clock.mjs';
import { listed } from './api/paging.mjs';
import { gid, typeOf } from './ids.mjs';

const kPerCall = 25;
const kTypes =
  /^(single_line_text_field|multi_line_text_field|number_integer|number_decimal|json|boolean|date|date_time|url|id|money|list\.[a-z_]+)$/;
const digest = (value) => crypto.createHash('sha256').update(value).digest('hex');

export class Metafields {
  constructor(clock) {
    this.clock = clock;
    this.owners = new Map(); // gid → Map(namespace.key → metafield)
    this.nextId = 30_000_000_000_000;
  }

  // The metafields set, or user errors; nothing is done when there is one.
  set(inputs, exists) {
    const errors = [];
    const error = (index, code, message, field) => errors.push({ field: ['metafields', String(index), field], message, code });
    if (inputs.length > kPerCall)
      return {
        errors: [{ field: ['metafields'], message: `Exceeded the maximum metafields input limit of ${kPerCall}.`, code: 'LESS_THAN_OR_EQUAL_TO' }],
      };
    inputs.forEach((input, index) => {
      const present = this.owners.get(input.ownerId)?.get(`${input.namespace ?? 'app--1'}.${input.key}`);
      if (!exists(input.ownerId)) error(index, 'INVALID', 'Owner does not exist.', 'ownerId');
      else if (input.value.trim() === '') error(index, 'BLANK', "can't be blank", 'value');
      else if ((input.key ?? '').length < 2) error(index, 'TOO_SHORT', 'is too short (minimum is 2 characters)', 'key');
      else if (!present && !input.type) error(index, 'BLANK', "can't be blank", 'type');
      else if (input.type && !kTypes.test(input.type)) error(index, 'INVALID_TYPE', 'Type is not a known metafield type.', 'type');
      else if (present && input.type && input.type !== present.type) error(index, 'INVALID_TYPE', `Type must be ${present.type}.`, 'type');
      else if ((input.type ?? present?.type) === 'number_integer' && !/^-?\d+$/.test(input.value))
        error(index, 'INVALID_VALUE', 'Value must be an integer.', 'value');
      else if ('compareDigest' in input && input.compareDigest === null && present)
        error(index, 'STALE_OBJECT', 'The resource has been updated since it was loaded.', 'compareDigest');
      else if (typeof input.compareDigest === 'string' && input.compareDigest !== present?.compareDigest)
        error(index, present ? 'STALE_OBJECT' : 'INVALID_COMPARE_DIGEST', 'The compareDigest does not match.', 'compareDigest');
    });
    if (errors.length > 0) return { errors };
    return { metafields: inputs.map((input) => this.put(input)), errors };
  }
  put({ ownerId, namespace = 'app--1', key, value, type }) {
    if (!this.owners.has(ownerId)) this.owners.set(ownerId, new Map());
    const owned = this.owners.get(ownerId);
    const old = owned.get(`${namespace}.${key}`);
    const now = utcText(this.clock.now());
    const id = old?.id ?? gid('Metafield', (this.nextId += 1));
    const metafield = {
      __typename: 'Metafield',
      id,
      legacyResourceId: id.split('/').pop(),
      namespace,
      key,
      value,
      type: type ?? old.type,
      jsonValue: value,
      ownerType: (typeOf(ownerId) ?? '').toUpperCase(),
      compareDigest: digest(`${type ?? old?.type}:${value}`),
      createdAt: old?.createdAt ?? now,
      updatedAt: now,
      changed: !old || old.value !== value,
    };
    owned.set(`${namespace}.${key}`, metafield);
    return metafield;
  }
  of(owner) {
    return [...(this.owners.get(owner)?.values() ?? [])];
  }
  membersOf(owner) {
    return {
      metafield: ({ namespace, key }) => this.owners.get(owner)?.get(`${namespace ?? 'app--1'}.${key}`) ?? null,
      metafields: (args, context, info) =>
        listed(
          this.of(owner).filter(
            ({ namespace, key }) => (!args.namespace || args.namespace === namespace) && (!args.keys || args.keys.includes(`${namespace}.${key}`)),
          ),
          args,
          info,
        ),
    };
  }
}
