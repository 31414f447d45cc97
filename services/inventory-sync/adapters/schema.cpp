#include "adapters/schema.h"

namespace inventory_sync {

// Everything that decides what is shown of a SKU is found by the SKU, so that one index serves and any change marks one row
// dirty.
const std::string_view kSchema = R"sql(
-- What sources told. level is null while only changes came. lowered counts how often less became of it. fillfactor: a report
-- changes no indexed column, so it stays on its page. Collation C: equal bytes are all that matters, and comparing them is cheap.
CREATE TABLE IF NOT EXISTS positions (
    sku text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    basis smallint NOT NULL,
    unit text NOT NULL,
    level numeric,
    observed_ns bigint NOT NULL,
    epoch text NOT NULL,
    previous_epoch text NOT NULL,
    sequence numeric NOT NULL,
    snapshot text NOT NULL,
    adjusted boolean NOT NULL,
    lowered bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sku, source, location)) WITH (fillfactor = 70);
CREATE TABLE IF NOT EXISTS adjustments (
    sku text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    epoch text NOT NULL,
    id text NOT NULL,
    delta numeric NOT NULL,
    observed_ns bigint NOT NULL,
    PRIMARY KEY (sku, source, location, epoch, id));
-- SKUs whose targets are to be computed anew, many in a row: rows are added and deleted, never changed.
CREATE TABLE IF NOT EXISTS dirty (
    id bigserial PRIMARY KEY,
    bucket smallint NOT NULL,
    since timestamptz NOT NULL,
    guard boolean NOT NULL,
    size integer NOT NULL,
    skus text[] NOT NULL);
ALTER TABLE dirty ALTER COLUMN skus SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS dirty_bucket ON dirty (bucket, id);
-- SKUs of which nothing may be sent until that mark is computed, because it lowers what can be sold.
CREATE TABLE IF NOT EXISTS guards (sku text COLLATE "C" NOT NULL, mark bigint NOT NULL, PRIMARY KEY (sku, mark));
CREATE INDEX IF NOT EXISTS guards_mark ON guards (mark);
CREATE TABLE IF NOT EXISTS items (
    shop text NOT NULL,
    item_id bigint NOT NULL,
    sku text COLLATE "C" NOT NULL,
    tracked boolean NOT NULL,
    deleted boolean NOT NULL,
    version_ns bigint NOT NULL,
    PRIMARY KEY (shop, item_id));
CREATE INDEX IF NOT EXISTS items_sku ON items (sku);
-- SKUs that a shop should have and that no item is known for.
CREATE TABLE IF NOT EXISTS lookups (
    shop text NOT NULL,
    sku text COLLATE "C" NOT NULL,
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
    sku text COLLATE "C" NOT NULL,
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
    sku text COLLATE "C" NOT NULL,
    location_id bigint NOT NULL,
    quantity bigint NOT NULL,
    shipped_ns bigint NOT NULL,
    placed_ns bigint,
    PRIMARY KEY (shop, order_id, fulfillment_id, sku));
CREATE INDEX IF NOT EXISTS shipments_sku ON shipments (sku);
CREATE TABLE IF NOT EXISTS sales (
    shop text NOT NULL,
    sku text COLLATE "C" NOT NULL,
    weight double precision NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (sku, shop));
-- One row for each (shop, item, location) that is written. basis: 0 physical (on_hand), 1 net of own, 2 net of all (available).
-- lowered: the sum of the positions' counts that the target was computed from. doubted: when a look last found another value than
-- was expected, until all orders of before are known.
CREATE TABLE IF NOT EXISTS pairs (
    shop text NOT NULL,
    item_id bigint NOT NULL,
    location_id bigint NOT NULL,
    sku text COLLATE "C" NOT NULL,
    basis smallint NOT NULL,
    target bigint NOT NULL,
    sellable bigint NOT NULL,
    lowered bigint NOT NULL DEFAULT 0,
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
    doubted timestamptz,
    recent bigint[] NOT NULL DEFAULT '{}',
    batch bigint,
    suspects bigint,
    held text NOT NULL DEFAULT '',
    held_until timestamptz,
    PRIMARY KEY (shop, item_id, location_id)) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS pairs_sku ON pairs (sku);
CREATE INDEX IF NOT EXISTS pairs_unsent ON pairs (shop, urgency) WHERE unsent;
CREATE INDEX IF NOT EXISTS pairs_since ON pairs (shop, since) WHERE unsent;
CREATE INDEX IF NOT EXISTS pairs_look ON pairs (shop, urgency) WHERE look;
CREATE INDEX IF NOT EXISTS pairs_doubted ON pairs (shop, doubted) WHERE doubted IS NOT NULL;
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
    source text COLLATE "C" NOT NULL,
    location text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (source, location, reason));
CREATE TABLE IF NOT EXISTS mapping_applied (sole boolean PRIMARY KEY DEFAULT true CHECK (sole), version text NOT NULL);
-- The newest snapshot file of each source.
CREATE TABLE IF NOT EXISTS stock_files (source text PRIMARY KEY, rows bigint NOT NULL, name text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
)sql";

const std::string_view kSchemaWidened = R"sql(
-- What rose in Shopify without a known cause, and what orders gave back that came and went before they were heard of: units that are
-- both end a pending fall (domain/belief).
ALTER TABLE pairs ADD COLUMN IF NOT EXISTS risen bigint NOT NULL DEFAULT 0, ADD COLUMN IF NOT EXISTS returned bigint NOT NULL DEFAULT 0;
-- The shops' locations as Shopify tells of them. Nothing is written at one that is not active.
CREATE TABLE IF NOT EXISTS locations (
    shop text NOT NULL,
    location_id bigint NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL,
    since timestamptz NOT NULL,
    version_ns bigint NOT NULL,
    PRIMARY KEY (shop, location_id));
CREATE TABLE IF NOT EXISTS location_checks (shop text PRIMARY KEY, due timestamptz NOT NULL);
-- How far a source that is asked was read, and when it was last read whole.
CREATE TABLE IF NOT EXISTS source_cursors (source text PRIMARY KEY, cursor text NOT NULL, whole_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS shipments_at ON shipments (shipped_ns);
-- Files that were fetched from a source's server, each once.
CREATE TABLE IF NOT EXISTS fetched_files (
    source text NOT NULL,
    name text NOT NULL,
    identity text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (source, name));
)sql";

// Leases were a table of this service's own, by the clocks of its instances, before they were the kit's. A process of an older
// version that still runs has its turn until it runs out (none was for longer than half an hour, whatever its clock says);
// without the table it cannot renew it.
const std::string_view kSchemaKitLeases = R"sql(
CREATE TABLE IF NOT EXISTS leases (name text PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL);
INSERT INTO work_leases (name, owner, until)
SELECT name, owner, least(until, clock_timestamp() + interval '30 minutes') FROM leases ON CONFLICT (name) DO NOTHING;
DROP TABLE leases;
)sql";

}  // namespace inventory_sync
