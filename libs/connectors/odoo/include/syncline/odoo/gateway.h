// Odoo for hundreds of orders at once: requests of many threads travel together, at most 50 a call, a few calls in flight.
//
//   odoo::Gateway odoo(http, target, options, clock, metrics);
//   auto ids = odoo.create_once({.model = "sale.order", .scope = {.company = 1}, .columns = columns, .records = {rows}}, lease);
//
// Why: Odoo loads 50 orders in the time of ten, and gets slower, not faster, beyond its workers (odoo.md §7.5). What shares a
// call shares a lane: method, model, company, language and set of columns. A batch leaves when it is full or 20 ms old.
//
// One bad record never holds or fails the others: a refused batch is taken apart by Odoo's messages, or by halves where it names
// nothing, and the rest goes again. Creation is `load` in create-once mode, so a lost answer or a serialization failure is sent
// again at once, twice; that is no retry of an effect but the way the primitive is meant to be used. What still fails is returned
// and the kit decides.
//
// Leases: a change takes the lease of its effect; right before the bytes leave, members whose lease has run out are taken out of
// the batch (kind conflict, code "lease_expired": nothing was sent for them). A call ends before the first of its leases does.
//
// Owned by the service, lives as long as it. All members from any thread; each blocks for its batch: linger + queue + call.
// Threads: calls_in_flight + read_calls_in_flight, started by the first request.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/odoo/reply.h>
#include <syncline/odoo/transport.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace syncline::telemetry {
class Metrics;
}

namespace syncline::odoo {

// What one call may not mix.
struct Scope {
    std::int64_t company = 0;  // First of allowed_company_ids; 0: the user's own.
    std::string language;      // "fr_FR"; empty: the user's own.
    friend bool operator==(const Scope&, const Scope&) = default;
};

using Row = std::vector<std::string>;  // One cell for each column; an empty cell is an explicit empty, never the default.
using Record = std::vector<Row>;       // The record's row and the continuation rows of its lines.

struct LoadRequest {
    std::string model;
    Scope scope;
    std::vector<std::string> columns;  // "id" first: the external id. Leave a column out for its default.
    std::vector<Record> records;       // Parents before children.
    std::string context;               // Further members of the context, JSON text without braces ("\"no_vat_validation\":true").
};

// A method that moves records to a state and is refused for records that are already there (action_confirm, action_post).
struct ActRequest {
    std::string model;
    std::string method;
    Scope scope;
    std::int64_t id = 0;
    std::vector<std::string> done_states;  // "sale": a record in one of these counts as done.
    std::string context;
};

struct WriteRequest {
    std::string model;
    Scope scope;
    std::int64_t id = 0;
    std::string values;  // JSON object; equal texts travel together.
    // The same values again are harmless, so a lost answer is sent again at once. Not so with commands that delete lines.
    bool repeatable = true;
};

struct ReadRequest {
    std::string model;
    Scope scope;
    std::vector<std::int64_t> ids;
    std::vector<std::string> fields;
};

// Records whose `field` equals `value`, in ascending order of id.
struct FindRequest {
    std::string model;
    Scope scope;
    std::string field;
    std::string value;
    std::vector<std::string> fields;  // `field` is always read too.
    std::string domain;               // Further leaves, JSON text without brackets: "[\"module\",\"=\",\"syncline\"]".
};

// What differs between versions, as the server itself says.
struct ServerFacts {
    Version version;
    std::string line_taxes;        // "tax_ids" (19) or "tax_id".
    bool order_locked = false;     // sale.order has `locked` (17 and later).
    bool order_warehouse = false;  // sale_stock is installed.
    bool order_delivery = false;   // sale.order has `delivery_status` (16 and later, with sale_stock).
    std::string company_rounding;  // round_per_line or round_globally.
};

struct GatewayOptions {
    std::size_t batch_max = 50;
    std::size_t read_batch_max = 200;  // Reading 200 records costs little more than reading one.
    std::chrono::milliseconds linger{20};
    std::chrono::milliseconds read_linger{5};  // While all reading calls are under way the next batch gathers by itself.
    int calls_in_flight = 4;
    int read_calls_in_flight = 2;
    std::chrono::milliseconds call_timeout{60'000};
    std::chrono::milliseconds read_timeout{20'000};
    int resends_max = 2;  // Of a lost answer or serialization failure in create-once mode.
};

class Gateway {
public:
    // `client`, `clock` and `metrics` must outlive it. Nothing is sent before the first request.
    Gateway(http::Client& client, Target target, GatewayOptions options, const core::Clock& clock, telemetry::Metrics& metrics);
    // Over a given transport, for tests and contract tests.
    Gateway(std::shared_ptr<Transport> transport, Version version, GatewayOptions options, const core::Clock& clock,
            telemetry::Metrics& metrics);
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;
    ~Gateway();

    // The database ids, one for each record of the request in its order: created now, or found as they were, unchanged.
    [[nodiscard]] core::Result<std::vector<std::int64_t>> create_once(LoadRequest request, core::SteadyTime lease_until);
    [[nodiscard]] core::Result<void> act(ActRequest request, core::SteadyTime lease_until);
    [[nodiscard]] core::Result<void> write(WriteRequest request, core::SteadyTime lease_until);
    // Ids that do not exist are silently absent, as in Odoo. Errors of reads are never unknown_outcome: nothing was changed.
    [[nodiscard]] core::Result<std::vector<Answer>> read(ReadRequest request, const core::Deadline& deadline);
    [[nodiscard]] core::Result<std::vector<Answer>> find(FindRequest request, const core::Deadline& deadline);
    // One call by itself, outside the batches: probes, doctor, what has no batch form.
    [[nodiscard]] core::Result<Answer> call(const Call& call, const core::Deadline& deadline);
    // An authenticated call that changes nothing and touches the database: what the circuit asks.
    [[nodiscard]] core::Result<void> probe(const core::Deadline& deadline);
    // Asked once and kept; asked again after the version changed or a column turned out to be unknown.
    [[nodiscard]] core::Result<ServerFacts> facts(const core::Deadline& deadline);
    void forget_facts();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The context member texts of a scope: {"lang":…,"tz":"UTC","allowed_company_ids":[…],…further}.
[[nodiscard]] std::string context_of(const Scope& scope, std::string_view further = {});

}  // namespace syncline::odoo
