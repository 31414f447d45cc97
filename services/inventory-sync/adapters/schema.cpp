#include "adapters/schema.h"

namespace inventory_sync {

// Everything that decides what is shown of a SKU is found by the SKU, so that one index serves and any change marks one row
// dirty.
const std::string_view kSchema = R"sql(
-- What sources told. level is null while only changes came. fillfactor: a report changes no indexed column, so it stays on its page.
CREATE TABLE IF NOT EXISTS positions (
    sku text NOT NULL,
    source text NOT NULL,
    location text NOT NULL,
    basis smallint NOT NULL,
    unit text NOT NULL,
    level numeric,
    observed_ns bigint NOT NULL,
    epoch text NOT NULL,
    previous_epoch text NOT NULL,
    sequence numeric NOT NULL,
    snapshot text NOT NULL,
    adjusted boolean NOT NULL,
    PRIMARY KEY (sku, source, location)) WITH (fillfactor = 70);
CREATE TABLE IF NOT EXISTS adjustments (
    sku text NOT NULL,
    source text NOT NULL,
    location text NOT NULL,
    epoch text NOT NULL,
    id text NOT NULL,
    delta numeric NOT NULL,
    observed_ns bigint NOT NULL,
    PRIMARY KEY (sku, source, location, epoch, id));
-- SKUs whose targets are to be computed anew. seq grows with every mark, so that a mark made meanwhile is not lost. guard: until
-- it is computed nothing of the SKU may be sent, because the mark lowers what can be sold.
CREATE SEQUENCE IF NOT EXISTS dirty_seq;
CREATE TABLE IF NOT EXISTS dirty (
    sku text PRIMARY KEY,
    bucket smallint NOT NULL,
    seq bigint NOT NULL,
    since timestamptz NOT NULL,
    guard boolean NOT NULL) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS dirty_bucket ON dirty (bucket);
CREATE TABLE IF NOT EXISTS items (
    shop text NOT NULL,
    item_id bigint NOT NULL,
    sku text NOT NULL,
    tracked boolean NOT NULL,
    deleted boolean NOT NULL,
    version_ns bigint NOT NULL,
    PRIMARY KEY (shop, item_id));
CREATE INDEX IF NOT EXISTS items_sku ON items (sku);
-- SKUs that a shop should have and that no item is known for.
CREATE TABLE IF NOT EXISTS lookups (
    shop text NOT NULL,
    sku text NOT NULL,
    due timestamptz NOT NULL,
    unknown boolean NOT NULL,
    PRIMARY KEY (shop, sku));
CREATE INDEX IF NOT EXISTS lookups_due ON lookups (shop, due);
CREATE TABLE IF NOT EXISTS orders (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    body text NOT NULL,
    locate_due timestamptz,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (shop, order_id));
CREATE INDEX IF NOT EXISTS orders_locate ON orders (shop, locate_due) WHERE locate_due IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_changed ON orders (changed_at);
CREATE TABLE IF NOT EXISTS reservations (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    sku text NOT NULL,
    location_id bigint NOT NULL,
    quantity bigint NOT NULL,
    provisional boolean NOT NULL,
    placed_ns bigint NOT NULL,
    PRIMARY KEY (shop, order_id, sku, location_id));
CREATE INDEX IF NOT EXISTS reservations_sku ON reservations (sku);
CREATE TABLE IF NOT EXISTS shipments (
    shop text NOT NULL,
    order_id bigint NOT NULL,
    fulfillment_id bigint NOT NULL,
    sku text NOT NULL,
    location_id bigint NOT NULL,
    quantity bigint NOT NULL,
    shipped_ns bigint NOT NULL,
    placed_ns bigint,
    PRIMARY KEY (shop, order_id, fulfillment_id, sku));
CREATE INDEX IF NOT EXISTS shipments_sku ON shipments (sku);
CREATE TABLE IF NOT EXISTS sales (
    shop text NOT NULL,
    sku text NOT NULL,
    weight double precision NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (sku, shop));
-- One row for each (shop, item, location) that is written. basis: 0 physical (on_hand), 1 net of own, 2 net of all (available).
CREATE TABLE IF NOT EXISTS pairs (
    shop text NOT NULL,
    item_id bigint NOT NULL,
    location_id bigint NOT NULL,
    sku text NOT NULL,
    basis smallint NOT NULL,
    target bigint NOT NULL,
    sellable bigint NOT NULL,
    urgency double precision NOT NULL,
    unsent boolean NOT NULL,
    since timestamptz,
    believed bigint,
    taken bigint NOT NULL DEFAULT 0,
    net bigint NOT NULL DEFAULT 0,
    pending bigint NOT NULL DEFAULT 0,
    pending_since timestamptz,
    perhaps bigint,
    look boolean NOT NULL DEFAULT true,
    recent bigint[] NOT NULL DEFAULT '{}',
    batch bigint,
    suspects bigint,
    held text NOT NULL DEFAULT '',
    held_until timestamptz,
    PRIMARY KEY (shop, item_id, location_id)) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS pairs_sku ON pairs (sku);
CREATE INDEX IF NOT EXISTS pairs_unsent ON pairs (shop, urgency) WHERE unsent;
CREATE INDEX IF NOT EXISTS pairs_since ON pairs (shop, since) WHERE unsent;
CREATE INDEX IF NOT EXISTS pairs_look ON pairs (shop) WHERE look;
CREATE INDEX IF NOT EXISTS pairs_suspects ON pairs (shop, suspects) WHERE suspects IS NOT NULL;
CREATE INDEX IF NOT EXISTS pairs_oversold ON pairs (shop) WHERE sellable < 0;
CREATE INDEX IF NOT EXISTS pairs_held ON pairs (held_until) WHERE held <> '';
CREATE INDEX IF NOT EXISTS pairs_pending ON pairs (shop, pending_since) WHERE pending > 0;
-- Writes on their way: the key and the exact variables. Only these bytes are sent again under the key.
CREATE TABLE IF NOT EXISTS batches (
    id bigserial PRIMARY KEY,
    shop text NOT NULL,
    body text NOT NULL,
    formed_at timestamptz NOT NULL,
    due timestamptz NOT NULL,
    tries integer NOT NULL,
    suspects bigint,
    item_ids bigint[] NOT NULL,
    location_ids bigint[] NOT NULL,
    quantities bigint[] NOT NULL,
    taken bigint[] NOT NULL,
    net bigint[] NOT NULL,
    since timestamptz[] NOT NULL);
CREATE INDEX IF NOT EXISTS batches_due ON batches (shop, due);
-- Places that no mapping entry names: held, each for itself.
CREATE TABLE IF NOT EXISTS unmapped (
    source text NOT NULL,
    location text NOT NULL,
    since timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (source, location, reason));
CREATE TABLE IF NOT EXISTS mapping_applied (sole boolean PRIMARY KEY DEFAULT true CHECK (sole), version text NOT NULL);
-- The newest snapshot file of each source.
CREATE TABLE IF NOT EXISTS stock_files (source text PRIMARY KEY, rows bigint NOT NULL, name text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
)sql";

}  // namespace inventory_sync
