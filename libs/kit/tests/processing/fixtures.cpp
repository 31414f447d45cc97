#include "tests/processing/fixtures.h"

#include <utility>

namespace syncline::kit::testing {

using orders::v1::OrderChanged;
using orders::v1::RefundRecorded;
using namespace std::chrono_literals;

OrderChanged order(std::int64_t id, std::int64_t updated_seconds, std::string name) {
    OrderChanged event;
    event.mutable_order()->set_shop("eu");
    event.mutable_order()->set_order_id(id);
    event.mutable_order()->set_name(std::move(name));
    event.mutable_order()->mutable_source_updated_at()->set_seconds(updated_seconds);
    event.mutable_order()->mutable_observed_at()->set_seconds(updated_seconds);
    return event;
}

RefundRecorded refund(std::int64_t order_id, std::int64_t refund_id) {
    RefundRecorded event;
    event.set_shop("eu");
    event.mutable_refund()->set_order_id(order_id);
    event.mutable_refund()->set_refund_id(refund_id);
    return event;
}

std::string key_of(std::int64_t order_id) {
    return "eu/" + std::to_string(order_id);
}

void FakeTarget::write(const std::string& key, std::int64_t version) {
    const std::lock_guard lock(mutex_);
    auto& document = documents_[key];
    document.creations += document.writes == 0 ? 1 : 0;
    ++document.writes;
    document.version = version;
}

FakeTarget::Document FakeTarget::document(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = documents_.find(key);
    return found == documents_.end() ? Document{} : found->second;
}

std::size_t FakeTarget::documents() const {
    const std::lock_guard lock(mutex_);
    return documents_.size();
}

void Gate::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void Gate::open() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = false;
    }
    opened_.notify_all();
}

void Gate::pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    opened_.wait_for(lock, 20s, [&] { return !closed_; });
    --waiting_;
}

int Gate::waiting() const {
    const std::lock_guard lock(mutex_);
    return closed_ ? waiting_ : 0;
}

void raise_to(std::atomic<int>& highest, int value) {
    int before = highest;
    while (before < value && !highest.compare_exchange_weak(before, value)) {
    }
}

HandlerSpec on_order(OnOrder handle) {
    HandlerSpec spec;
    spec.type = OrderChanged::descriptor()->full_name();
    spec.topic = kOrders;
    spec.consumer_group = kGroup;
    spec.family = Family::snapshot;
    spec.make = [] {
        return std::make_shared<OrderChanged>();
    };
    spec.version = [](const google::protobuf::MessageLite& m) {
        const auto& order = static_cast<const OrderChanged&>(m).order();
        const auto nanos = [](const auto& t) {
            return t.seconds() * 1'000'000'000 + t.nanos();
        };
        return Version{nanos(order.source_updated_at()), nanos(order.observed_at()), order.fetched()};
    };
    spec.call = [handle = std::move(handle)](const google::protobuf::MessageLite& m, Delivery& delivery) {
        return handle(static_cast<const OrderChanged&>(m), delivery);
    };
    return spec;
}

HandlerSpec on_refund(OnRefund handle) {
    HandlerSpec spec;
    spec.type = RefundRecorded::descriptor()->full_name();
    spec.topic = kOrders;
    spec.consumer_group = kGroup;
    spec.family = Family::fact;
    spec.make = [] {
        return std::make_shared<RefundRecorded>();
    };
    spec.resource = [](const google::protobuf::MessageLite& m) {
        return "refund/" + std::to_string(static_cast<const RefundRecorded&>(m).refund().refund_id());
    };
    spec.call = [handle = std::move(handle)](const google::protobuf::MessageLite& m, Delivery& delivery) {
        return handle(static_cast<const RefundRecorded&>(m), delivery);
    };
    return spec;
}

OnOrder exporting(FakeTarget& target) {
    return [&target](const OrderChanged& event, Delivery& delivery) {
        const auto& order = event.order();
        const auto key = "order_" + std::to_string(order.order_id());
        const auto nanos = order.source_updated_at().seconds() * 1'000'000'000;
        auto done = delivery.effect({.external_key = key, .version = {nanos, nanos, false}, .creates_once = true},
                                    [&](const Lease&) -> core::Result<EffectRecord> {
                                        if (target.down) {
                                            return core::fail(core::ErrorKind::transient, "target_down", "no connection");
                                        }
                                        target.write(key, order.source_updated_at().seconds());
                                        return EffectRecord{.target_id = key, .name = order.name()};
                                    });
        if (!done) {
            return Outcome::failed(done.error());
        }
        return done->already_done ? Outcome::skip("superseded") : Outcome::done();
    };
}

TargetSpec target_of(FakeTarget& target) {
    return {.connection = "target",
            .probe = [&target](core::Deadline) -> core::Result<void> {
                if (target.down) {
                    return core::fail(core::ErrorKind::transient, "target_down", "no connection");
                }
                return {};
            },
            .longest_request = 120s};
}

core::Error failure(core::ErrorKind kind, std::string code, std::string waits_for) {
    return {.kind = kind, .code = std::move(code), .message = "made by the test", .waits_for = std::move(waits_for)};
}

}  // namespace syncline::kit::testing
