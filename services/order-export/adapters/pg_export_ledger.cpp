#include "adapters/pg_export_ledger.h"

#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <map>

namespace order_export {
namespace {

namespace json = syncline::json;
namespace postgres = syncline::postgres;
using core::ErrorKind;

constexpr std::chrono::seconds kQueryTimeout{10};
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPause{250};
constexpr std::size_t kReadsGathered = 100;
constexpr std::chrono::milliseconds kReadsLinger{5};  // Planning the query costs more than the rows it finds.
constexpr int kReaders = 2;

constexpr std::string_view kFind = R"(
SELECT k.shop, k.order_id, o.state, o.reason, o.version_updated, o.version_observed, o.version_fetched, o.document, o.document_name,
       o.document_hash, o.header_hash, o.lines, o.rounding, o.expected_total, o.currency, o.taxes_included, o.company, o.reference,
       o.financial_status, o.placed_at, o.exported_at, o.deleted, o.mapping_version,
       (SELECT json_agg(json_build_array(r.refund_id::text, r.state, r.document, r.document_name, r.code))::text FROM export_refunds r
         WHERE r.connection = $1 AND r.shop = k.shop AND r.order_id = k.order_id) AS refunds,
       (SELECT max(a.level) FROM export_risks a WHERE a.connection = $1 AND a.shop = k.shop AND a.order_id = k.order_id) AS risk,
       (SELECT bool_or(a.accepted) FROM export_risks a WHERE a.connection = $1 AND a.shop = k.shop AND a.order_id = k.order_id) AS accepted,
       (SELECT json_agg(json_build_array(m.transaction_id::text, m.state))::text FROM export_money m
         WHERE m.connection = $1 AND m.shop = k.shop AND m.order_id = k.order_id) AS money
  FROM (SELECT $1::text AS connection, u.* FROM unnest($2::text[], $3::bigint[]) AS u(shop, order_id) OFFSET 0) k
  LEFT JOIN export_orders o ON o.connection = k.connection AND o.shop = k.shop AND o.order_id = k.order_id)";

constexpr std::string_view kRecordOrder = R"(
INSERT INTO export_orders (connection, shop, order_id, state, reason, version_updated, version_observed, version_fetched, document,
       document_name, document_hash, header_hash, lines, rounding, expected_total, currency, taxes_included, company, reference,
       financial_status, placed_at, exported_at, deleted, mapping_version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::boolean[], $9::text[],
       $10::text[], $11::text[], $12::text[], $13::text[], $14::numeric[], $15::numeric[], $16::text[], $17::boolean[], $18::text[], $19::text[],
       $20::text[], $21::bigint[], $22::bigint[], $23::boolean[], $24::text[])
ON CONFLICT (connection, shop, order_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, version_updated = excluded.version_updated,
       version_observed = excluded.version_observed, version_fetched = excluded.version_fetched, document = excluded.document,
       document_name = excluded.document_name, document_hash = excluded.document_hash, header_hash = excluded.header_hash, lines = excluded.lines,
       rounding = excluded.rounding, expected_total = excluded.expected_total, currency = excluded.currency, taxes_included = excluded.taxes_included,
       company = excluded.company, reference = excluded.reference, financial_status = excluded.financial_status, placed_at = excluded.placed_at,
       exported_at = excluded.exported_at, deleted = excluded.deleted, mapping_version = excluded.mapping_version, changed_at = now())";

constexpr std::string_view kRecordRefund = R"(
INSERT INTO export_refunds (connection, shop, order_id, refund_id, state, document, document_name, code)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
ON CONFLICT (connection, shop, order_id, refund_id) DO UPDATE SET state = excluded.state, document = excluded.document,
       document_name = excluded.document_name, code = excluded.code, changed_at = now())";

constexpr std::string_view kRecordMoney = R"(
INSERT INTO export_money (connection, shop, order_id, transaction_id, state)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
ON CONFLICT (connection, shop, order_id, transaction_id) DO UPDATE SET state = excluded.state WHERE export_money.state = 'pending')";

constexpr std::string_view kRememberRisk = R"(
INSERT INTO export_risks (connection, shop, order_id, provider, level, observed_ns, accepted) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (connection, shop, order_id, provider) DO UPDATE SET level = excluded.level, observed_ns = excluded.observed_ns,
       accepted = excluded.accepted OR export_risks.accepted WHERE export_risks.observed_ns <= excluded.observed_ns)";

std::string lines_text(const std::vector<KnownLine>& lines) {
    json::Writer out;
    out.begin_array();
    for (const auto& line : lines) {
        out.begin_array().string(line.key).string(line.product).string(line.name).string(line.hash);
        for (const auto& tax : line.taxes) {
            out.string(tax);
        }
        out.end_array();
    }
    out.end_array();
    return std::move(out).take();
}

// Every element of an array of arrays of text.
std::vector<std::vector<std::string>> table_in(std::string_view text) {
    std::vector<std::vector<std::string>> table;
    const auto document = json::Document::parse(std::string(text), {.bytes_max = std::size_t{64} << 20U});
    if (!document) {
        return table;
    }
    for (const auto row : document->root().elements()) {
        auto& cells = table.emplace_back();
        for (const auto cell : row.elements()) {
            const auto value = cell.string();
            cells.emplace_back(value ? *value : std::string_view{});
        }
    }
    return table;
}

std::string_view name_of(MoneyState state) {
    return state == MoneyState::success ? "success" : state == MoneyState::failed ? "failed" : "pending";
}

MoneyState money_from(std::string_view name) {
    return name == "success" ? MoneyState::success : name == "failed" ? MoneyState::failed : MoneyState::pending;
}

std::string bigint(std::uint64_t id) {
    return std::to_string(static_cast<std::int64_t>(id));
}

LedgerEntry entry_from(const postgres::Row& row) {
    LedgerEntry entry;
    entry.key = {.shop = core::ShopAlias(row.string(0)), .id = core::OrderId(static_cast<std::uint64_t>(row.int64(1)))};
    if (!row.is_null(2)) {
        entry.state = document_state_from(row.text(2));
        entry.reason = row.string(3);
        if (!row.is_null(4)) {
            entry.version = SnapshotVersion{.updated_ns = row.int64(4), .observed_ns = row.int64(5), .fetched = row.boolean(6)};
        }
        entry.document = row.string(7);
        entry.document_name = row.string(8);
        entry.document_hash = row.string(9);
        entry.header_hash = row.string(10);
        for (auto& cells : table_in(row.text(11))) {
            if (cells.size() >= 4) {
                entry.lines.push_back({.key = cells[0],
                                       .product = cells[1],
                                       .name = cells[2],
                                       .taxes = {cells.begin() + 4, cells.end()},
                                       .hash = cells[3]});
            }
        }
        entry.rounding = Decimal::parse(row.text(12)).value_or(Decimal{});
        entry.expected_total = {.amount = Decimal::parse(row.text(13)).value_or(Decimal{}), .currency = row.string(14)};
        entry.taxes_included = row.boolean(15);
        entry.company = row.string(16);
        entry.reference = row.string(17);
        entry.financial_status = financial_status_from(row.text(18)).value_or(FinancialStatus::unknown);
        entry.placed_at = core::time_from_nanos(row.int64(19));
        entry.exported_at = core::time_from_nanos(row.int64(20));
        entry.deleted = row.boolean(21);
        entry.mapping_version = row.string(22);
    }
    if (const auto refunds = row.optional_text(23)) {
        for (auto& cells : table_in(*refunds)) {
            if (cells.size() == 5) {
                entry.refunds.push_back({.id = core::RefundId(core::parse_int<std::uint64_t>(cells[0]).value_or(0)),
                                         .state = cells[1],
                                         .document = cells[2],
                                         .document_name = cells[3],
                                         .code = cells[4]});
            }
        }
    }
    const auto risk = row.optional_int64(24).value_or(0);
    entry.risk =
        risk >= 0 && risk <= static_cast<std::int64_t>(RiskLevel::high) ? static_cast<RiskLevel>(risk) : RiskLevel::unknown;
    entry.accepted_risk = !row.is_null(25) && row.boolean(25);
    if (const auto money = row.optional_text(26)) {
        for (const auto& cells : table_in(*money)) {
            if (cells.size() == 2) {
                entry.money[core::parse_int<std::uint64_t>(cells[0]).value_or(0)] = money_from(cells[1]);
            }
        }
    }
    return entry;
}

}  // namespace

const std::string_view kLedgerSchema = R"(
CREATE TABLE IF NOT EXISTS export_orders (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    version_updated bigint,
    version_observed bigint,
    version_fetched boolean,
    document text NOT NULL,
    document_name text NOT NULL,
    document_hash text NOT NULL,
    header_hash text NOT NULL,
    lines text NOT NULL,
    rounding numeric NOT NULL,
    expected_total numeric NOT NULL,
    currency text NOT NULL,
    taxes_included boolean NOT NULL,
    company text NOT NULL,
    reference text NOT NULL,
    financial_status text NOT NULL,
    placed_at bigint NOT NULL,
    exported_at bigint NOT NULL,
    deleted boolean NOT NULL,
    mapping_version text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection, shop, order_id));
CREATE TABLE IF NOT EXISTS export_refunds (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    refund_id bigint NOT NULL,
    state text NOT NULL,
    document text NOT NULL,
    document_name text NOT NULL,
    code text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection, shop, order_id, refund_id));
CREATE TABLE IF NOT EXISTS export_risks (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    provider text NOT NULL,
    level smallint NOT NULL,
    observed_ns bigint NOT NULL,
    accepted boolean NOT NULL,
    PRIMARY KEY (connection, shop, order_id, provider));
CREATE TABLE IF NOT EXISTS export_money (
    connection text NOT NULL,
    shop text NOT NULL,
    order_id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (connection, shop, order_id, transaction_id));
)";

PgExportLedger::PgExportLedger(postgres::Pool& pool, core::Clock& clock, std::string connection)
    : pool_(pool), clock_(clock), connection_(std::move(connection)) {}

PgExportLedger::~PgExportLedger() = default;

core::Result<LedgerEntry> PgExportLedger::find(const OrderKey& key) {
    std::call_once(started_, [this] {
        reads_ = std::make_unique<core::Gather<OrderKey, Found>>(
            core::GatherOptions{.batch_max = kReadsGathered, .linger = kReadsLinger, .flushers = kReaders},
            [this](std::vector<OrderKey>&& keys) { return find_all(keys); });
    });
    return reads_->submit(key);
}

std::vector<PgExportLedger::Found> PgExportLedger::find_all(const std::vector<OrderKey>& keys) {
    std::vector<std::string> shops;
    std::vector<std::int64_t> ids;
    for (const auto& key : keys) {
        shops.push_back(key.shop.value());
        ids.push_back(static_cast<std::int64_t>(key.id.value()));
    }
    const auto params = postgres::Params{}.add(connection_).add_array(shops).add_array(ids);
    auto rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kFind, params);
    // Our own database is not the target: the key waits for it, as everything else of the kit does, instead of failing.
    const core::Deadline patience(clock_, kPatience);
    while (!rows && (rows.error().kind == ErrorKind::transient || rows.error().kind == ErrorKind::unknown_outcome) &&
           !patience.passed()) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable never;
        static_cast<void>(clock_.wait_until(lock, never, clock_.steady() + kPause, [] { return false; }));
        rows = pool_.exec(core::Deadline(clock_, kQueryTimeout), kFind, params);
    }
    if (!rows) {
        return std::vector<Found>(keys.size(), std::unexpected(rows.error()));
    }
    std::map<OrderKey, LedgerEntry> found;
    for (const auto row : *rows) {
        auto entry = entry_from(row);
        auto key = entry.key;
        found.emplace(std::move(key), std::move(entry));
    }
    std::vector<Found> answers;
    answers.reserve(keys.size());
    for (const auto& key : keys) {
        const auto entry = found.find(key);
        answers.push_back(entry == found.end() ? Found(LedgerEntry{.key = key}) : Found(entry->second));
    }
    return answers;
}

void PgExportLedger::record(kit::Delivery& delivery, const LedgerEntry& entry) {
    const auto flag = [](bool value) {
        return std::string(value ? "true" : "false");
    };
    std::optional<std::string> updated;
    std::optional<std::string> observed;
    std::optional<std::string> fetched;
    if (entry.version) {
        updated = std::to_string(entry.version->updated_ns);
        observed = std::to_string(entry.version->observed_ns);
        fetched = flag(entry.version->fetched);
    }
    delivery.write({.sql = kRecordOrder,
                    .values = {connection_,
                               entry.key.shop.value(),
                               bigint(entry.key.id.value()),
                               std::string(to_string(entry.state)),
                               entry.reason,
                               updated,
                               observed,
                               fetched,
                               entry.document,
                               entry.document_name,
                               entry.document_hash,
                               entry.header_hash,
                               lines_text(entry.lines),
                               entry.rounding.to_string(),
                               entry.expected_total.amount.to_string(),
                               entry.expected_total.currency,
                               flag(entry.taxes_included),
                               entry.company,
                               entry.reference,
                               std::string(to_string(entry.financial_status)),
                               std::to_string(core::nanos_since_epoch(entry.placed_at)),
                               std::to_string(core::nanos_since_epoch(entry.exported_at)),
                               flag(entry.deleted),
                               entry.mapping_version}});
}

void PgExportLedger::record(kit::Delivery& delivery, const OrderKey& key, const RefundEntry& refund) {
    delivery.write({.sql = kRecordRefund,
                    .values = {connection_, key.shop.value(), bigint(key.id.value()), bigint(refund.id.value()), refund.state,
                               refund.document, refund.document_name, refund.code}});
}

void PgExportLedger::record_money(kit::Delivery& delivery, const OrderKey& key, std::uint64_t transaction, MoneyState state) {
    delivery.write(
        {.sql = kRecordMoney,
         .values = {connection_, key.shop.value(), bigint(key.id.value()), bigint(transaction), std::string(name_of(state))}});
}

core::Result<void> PgExportLedger::remember_risk(const OrderKey& key, const std::string& provider, RiskLevel level,
                                                 core::SystemTime observed, bool accepted) {
    const auto done = pool_.exec(core::Deadline(clock_, kQueryTimeout), kRememberRisk,
                                 postgres::Params{}
                                     .add(connection_)
                                     .add(key.shop.value())
                                     .add(static_cast<std::int64_t>(key.id.value()))
                                     .add(provider)
                                     .add(static_cast<std::int64_t>(level))
                                     .add(core::nanos_since_epoch(observed))
                                     .add(accepted));
    if (!done) {
        return std::unexpected(done.error());
    }
    return {};
}

}  // namespace order_export
