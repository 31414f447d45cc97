
CREATE TABLE consumer_groups (
    grp integer PRIMARY KEY,
    name text NOT NULL
);

-- Who owns a partition: the epoch is the fence of every closing transaction.
CREATE TABLE partition_owner (
    grp integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    owner text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (grp, topic, partition)
);

-- How far records of a partition may have been handed to handlers; not clean = the process did not say goodbye.
CREATE TABLE partition_markers (
    grp integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    recorded_end bigint NOT NULL,
    clean boolean NOT NULL,
    PRIMARY KEY (grp, topic, partition)
);

-- Records that were begun alone after an unclean stop.
CREATE TABLE poison_tries (
    grp integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    tries integer NOT NULL,
    PRIMARY KEY (grp, topic, partition, record_offset)
);

CREATE TABLE inbox (
    grp integer NOT NULL,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (grp, event_id)
);
CREATE INDEX inbox_key ON inbox USING hash (key);
CREATE INDEX inbox_settled ON inbox (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE intents (
    connection text NOT NULL,
    external_key text NOT NULL,
    version_updated bigint NOT NULL,
    version_observed bigint NOT NULL,
    version_fetched boolean NOT NULL,
    owner text NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    lease_until timestamptz NOT NULL,
    state text NOT NULL,
    target_id text NOT NULL DEFAULT '',
    name text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    verify_at timestamptz,
    PRIMARY KEY (connection, external_key)
);
CREATE INDEX intents_verify ON intents (verify_at) WHERE verify_at IS NOT NULL;

CREATE TABLE parked_keys (
    grp integer NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    partition integer NOT NULL,
    state text NOT NULL,
    due_at timestamptz,
    first_at timestamptz NOT NULL,
    PRIMARY KEY (grp, topic, key)
);
CREATE INDEX parked_keys_due ON parked_keys (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE parked_events (
    seq bigserial PRIMARY KEY,
    grp integer NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    family text NOT NULL,
    resource text NOT NULL,
    version_updated bigint NOT NULL,
    version_observed bigint NOT NULL,
    version_fetched boolean NOT NULL,
    mode text NOT NULL,
    state text NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    waits_for text NOT NULL,
    expected text NOT NULL,
    found text NOT NULL,
    currency text NOT NULL,
    override_code text NOT NULL DEFAULT '',
    attempts integer NOT NULL,
    crash_tries integer NOT NULL DEFAULT 0,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    due_at timestamptz,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    record_key bytea,
    record_value bytea NOT NULL,
    record_headers bytea NOT NULL,
    UNIQUE (grp, topic, key, seq)
);
CREATE UNIQUE INDEX parked_events_event ON parked_events (grp, event_id);
CREATE INDEX parked_events_waits ON parked_events (grp, waits_for) WHERE state = 'held';

CREATE TABLE timers (
    grp integer NOT NULL,
    topic text NOT NULL,
    key text NOT NULL,
    reason text NOT NULL,
    due_at timestamptz NOT NULL,
    family text NOT NULL,
    event_id uuid NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    PRIMARY KEY (grp, topic, key, reason)
);
CREATE INDEX timers_due ON timers (due_at);

CREATE TABLE dead_letters (
    id uuid PRIMARY KEY,
    grp integer NOT NULL,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key text NOT NULL,
    type text NOT NULL,
    family text NOT NULL,
    resource text NOT NULL,
    version_updated bigint NOT NULL,
    version_observed bigint NOT NULL,
    version_fetched boolean NOT NULL,
    class text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    attempts integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    state text NOT NULL,
    settled_at timestamptz,
    record_key bytea,
    record_value bytea NOT NULL,
    record_headers bytea NOT NULL
);
CREATE INDEX dead_letters_open ON dead_letters (grp, last_at) WHERE state = 'dead';
CREATE INDEX dead_letters_key ON dead_letters USING hash (key);

-- Debezium's outbox columns (id, aggregatetype, aggregateid, type, payload) and what our own relay needs.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    payload bytea NOT NULL,
    topic text NOT NULL,
    key bytea,
    headers bytea NOT NULL,
    version bigint NOT NULL,
    bucket integer NOT NULL,
    seq bigserial NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX outbox_order ON outbox (bucket, seq);

CREATE TABLE outbox_aggregates (
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (aggregatetype, aggregateid)
);

CREATE TABLE outbox_buckets (
    bucket integer PRIMARY KEY,
    owner text NOT NULL DEFAULT '',
    lease_until timestamptz NOT NULL DEFAULT 'epoch'
);
INSERT INTO outbox_buckets (bucket) SELECT generate_series(0, 15);

CREATE TABLE connection_pauses (
    connection text PRIMARY KEY,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE mapping_versions (
    connection text NOT NULL,
    version text NOT NULL,
    first_seen timestamptz NOT NULL DEFAULT now(),
    holds_checked_at timestamptz,
    PRIMARY KEY (connection, version)
);

CREATE TABLE admin_actions (
    id text PRIMARY KEY,
    grp integer NOT NULL,
    verb text NOT NULL,
    subject text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX admin_actions_subject ON admin_actions (subject);

-- Where a partition handled in batches goes on (on_batch).
CREATE TABLE batch_offsets (
    grp integer NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (grp, topic, partition)
);
