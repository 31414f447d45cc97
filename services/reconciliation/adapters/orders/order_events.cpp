#include "adapters/orders/order_events.h"

#include <google/protobuf/timestamp.pb.h>

#include <syncline/core/hash.h>
#include <syncline/core/time.h>
#include <syncline/orders/v1/events.pb.h>
#include <memory>
#include <utility>

#include "adapters/fetched/map_order.h"

namespace reconciliation {
namespace {

using namespace syncline::orders::v1;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

void set_time(google::protobuf::Timestamp* to, core::SystemTime at) {
    const auto nanos = core::nanos_since_epoch(at);
    to->set_seconds(nanos / kNanosPerSecond);
    to->set_nanos(static_cast<std::int32_t>(nanos % kNanosPerSecond));
}

std::string key_of(const std::string& shop, std::int64_t order_id) {
    return shop + "/" + std::to_string(order_id);
}

std::string subject_of(std::string_view kind, std::int64_t id) {
    return std::string(kind) + "/" + std::to_string(id);
}

// The id of a fact: what it says, without when it was seen.
template <typename Message>
std::string fact_id(const std::string& shop, std::int64_t id, const Message& without_time) {
    return core::uuid_v5(core::kSynclineNamespace,
                         shop + "\nfetched\n" + Message::descriptor()->full_name() + "\n" + std::to_string(id) + "\n" +
                             std::string(core::bytes_of(core::sha256(without_time.SerializeAsString()))));
}

Fact refund_fact(const Order& order, const Refund& refund) {
    auto event = std::make_shared<RefundRecorded>();
    event->set_shop(order.shop());
    *event->mutable_refund() = refund;
    auto& personal = *event->mutable_personal_data()->mutable_clear();
    for (const auto& note : order.personal_data().clear().refund_notes()) {
        if (note.refund_id() == refund.refund_id()) {
            *personal.add_refund_notes() = note;
        }
    }
    auto id = fact_id(order.shop(), refund.refund_id(), *event);
    *event->mutable_observed_at() = order.observed_at();
    return {.kind = "refund",
            .id = refund.refund_id(),
            .state = {},
            .event = {.id = std::move(id),
                      .key = key_of(order.shop(), order.order_id()),
                      .subject = subject_of("refund", refund.refund_id()),
                      .event = std::move(event)}};
}

Fact money_fact(const Order& order, const PaymentTransaction& transaction) {
    auto event = std::make_shared<PaymentTransactionRecorded>();
    event->set_shop(order.shop());
    *event->mutable_transaction() = transaction;
    auto id = fact_id(order.shop(), transaction.transaction_id(), *event);
    *event->mutable_observed_at() = order.observed_at();
    return {.kind = "transaction",
            .id = transaction.transaction_id(),
            .state = TransactionStatus_Name(transaction.status()),
            .event = {.id = std::move(id),
                      .key = key_of(order.shop(), order.order_id()),
                      .subject = subject_of("transaction", transaction.transaction_id()),
                      .event = std::move(event)}};
}

}  // namespace

core::Result<OrderAsEvents> order_as_events(const std::string& shop, json::Value from, core::SystemTime observed_at,
                                            Purpose purpose, const std::string& occasion) {
    auto event = std::make_shared<OrderChanged>();
    event->set_cause(purpose == Purpose::backfill ? CAUSE_BACKFILLED : CAUSE_RECONCILED);
    if (auto mapped = map_fetched_order(shop, from, observed_at, *event); !mapped) {
        return std::unexpected(std::move(mapped.error()));
    }
    const auto& order = event->order();
    OrderAsEvents events{.updated_at = core::time_from_nanos(order.source_updated_at().seconds() * kNanosPerSecond +
                                                             order.source_updated_at().nanos()),
                         .snapshot = {.id = fetched_event_id(*event, occasion),
                                      .key = key_of(shop, order.order_id()),
                                      .subject = subject_of("order", order.order_id()),
                                      .event = event,
                                      .time = observed_at},
                         .facts = {}};
    for (const auto& refund : order.refunds()) {
        events.facts.push_back(refund_fact(order, refund));
        for (const auto& transaction : refund.transactions()) {
            events.facts.push_back(money_fact(order, transaction));
        }
    }
    return events;
}

LeavingEvent confirmed_deletion(const std::string& shop, std::int64_t order_id, core::SystemTime observed_at) {
    auto event = std::make_shared<OrderDeleted>();
    event->set_shop(shop);
    event->set_order_id(order_id);
    event->set_confirmed(true);
    auto id = fact_id(shop, order_id, *event);
    set_time(event->mutable_observed_at(), observed_at);
    return {.id = std::move(id),
            .key = key_of(shop, order_id),
            .subject = subject_of("order", order_id),
            .event = std::move(event),
            .time = observed_at};
}

}  // namespace reconciliation
