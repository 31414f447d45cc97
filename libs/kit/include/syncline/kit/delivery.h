// One event being handled: what the kit knows of it, and the two ways a handler may act on the world.
//
//   delivery.effect(...)            an effect in a foreign system, fenced by an intent with a lease
//   delivery.write / publish        rows and events of the closing transaction: they exist if and only if the event is settled
//
// Lives for one call of a handler, on that handler's thread; never keep a reference. A handler may be called again for the
// same event after a crash, a rebalance or a retryable error, so everything it does must be right when repeated.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class MessageLite;
}

namespace syncline::kit {

// The CloudEvents headers and the position of a record.
struct EventHeaders {
    std::string id;              // ce_id
    std::string type;            // ce_type, the full Protobuf name
    std::string source;          // ce_source
    std::string subject;         // ce_subject
    std::string correlation_id;  // ce_correlationid
    std::string traceparent;
    core::SystemTime time;         // ce_time
    core::SystemTime received_at;  // syncline-received-at
    std::string key;
    std::string topic;  // Without prefix, e.g. "orders.v1".
    std::int32_t partition = 0;
    std::int64_t offset = 0;
};

// The version of a snapshot: (source_updated_at, observed_at), compared in that order, fetched winning a tie.
struct Version {
    std::int64_t source_updated_at_ns = 0;
    std::int64_t observed_at_ns = 0;
    bool fetched = false;
    friend auto operator<=>(const Version&, const Version&) = default;
};

// What the target knows of an effect; recorded with the intent and given back to whoever asks again.
struct EffectRecord {
    std::string target_id;      // The target's id of the document.
    std::string name;           // The name people see there.
    std::string detail;         // Anything the service wants back (canonical text of its own); never personal data.
    bool already_done = false;  // Set by the kit: a closed intent of this or a newer version existed and `call` did not run.
};

// How long the right to act lasts. Checked right before bytes leave: a connector asks `still_held()`.
class Lease {
public:
    Lease(const core::Clock& clock, core::SteadyTime until) : clock_(&clock), until_(until) {}
    [[nodiscard]] bool still_held() const { return clock_->steady() < until_; }
    [[nodiscard]] core::SteadyTime until() const { return until_; }

private:
    const core::Clock* clock_;
    core::SteadyTime until_;
};

enum class EffectScope : std::uint8_t {
    event,   // The document of this key: its intent closes in the closing transaction of the event.
    shared,  // A record that several keys need (a customer): its intent closes as soon as the call has returned.
};

struct EffectOptions {
    std::string external_key;  // Deterministic key of the document in the target.
    Version version;
    EffectScope scope = EffectScope::event;
    // The target creates at most once by external_key, so a lost answer may be sent again at once.
    bool creates_once = false;
    // shared: true = any closed intent counts as done (the record exists), whatever its version.
    bool any_version = false;
};

// A set-based write of a service's own table in the closing transaction. `sql` takes one array parameter for each column:
//   INSERT INTO export_ledger (order_key, target_id) SELECT * FROM unnest($1::text[], $2::bigint[])
//   ON CONFLICT (order_key) DO UPDATE SET target_id = excluded.target_id
// Rows of many events with the same `sql` travel in one statement; `sql` must be a string literal (compared by content).
struct RowWrite {
    std::string_view sql;
    std::vector<std::optional<std::string>> values;  // Text form of each column; nullopt is NULL.
};

// An event for the outbox. The kit adds ce_id (UUIDv5 of source event, type and ordinal), ce_source, correlation id, traceparent.
struct OutgoingEvent {
    std::string topic;  // Without prefix: a constant of syncline/topics.h.
    std::string key;
    std::string subject;
};

class Delivery {
public:
    virtual ~Delivery() = default;
    [[nodiscard]] virtual const EventHeaders& headers() const = 0;
    // 1 on the first call for this event.
    [[nodiscard]] virtual int attempt() const = 0;
    // The handler must have returned by then; every foreign call takes it as its limit.
    [[nodiscard]] virtual core::Deadline deadline() const = 0;
    // The handler runs because a timer of done_until() came due.
    [[nodiscard]] virtual bool timer() const = 0;
    // An earlier owner lost its lease during a call: read the document back and write again unless it is ours.
    [[nodiscard]] virtual bool verify() const = 0;
    // A person overrode the hold with this code (`hold override`); empty otherwise.
    [[nodiscard]] virtual std::string_view override_code() const = 0;

    using EffectCall = std::function<core::Result<EffectRecord>(const Lease&)>;
    // Writes the intent, runs `call` under its lease, remembers the result. Blocks for the intent (a few ms, no connection is
    // held while `call` runs) and for the call. Errors: what `call` returned; kind conflict, code "intent_busy", when another
    // owner holds the lease (the kit comes back by itself); kind transient is never returned for our own database: the kit waits.
    // An answer with a newer or equal version closed before gives that record with already_done set, without calling.
    [[nodiscard]] virtual core::Result<EffectRecord> effect(const EffectOptions& options, const EffectCall& call) = 0;

    // Rows and events of the closing transaction. Dropped when the handler fails, except those marked `even_if_held`
    // (a hold announces itself): these are kept when the fate is a hold or a dead letter.
    virtual void write(RowWrite row) = 0;
    virtual void publish(OutgoingEvent where, const google::protobuf::MessageLite& event) = 0;
    virtual void publish_if_held(OutgoingEvent where, const google::protobuf::MessageLite& event) = 0;
    virtual void publish_if_dead(OutgoingEvent where, const google::protobuf::MessageLite& event) = 0;
};

}  // namespace syncline::kit
