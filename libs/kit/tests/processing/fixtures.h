// Orders and refunds as the tests of processing use them, and a target in memory that remembers what was done to it.
#pragma once

#include <syncline/orders/v1/events.pb.h>

#include <syncline/kit/testing/harness.h>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace syncline::kit::testing {

inline constexpr const char* kOrders = "orders.v1";
inline constexpr const char* kGroup = "order-export.test.v1";

orders::v1::OrderChanged order(std::int64_t id, std::int64_t updated_seconds, std::string name = {});
orders::v1::RefundRecorded refund(std::int64_t order_id, std::int64_t refund_id);
std::string key_of(std::int64_t order_id);

// A foreign system: documents by external key, written at most by the last caller.
class FakeTarget {
public:
    struct Document {
        std::int64_t version = 0;
        int writes = 0;
        int creations = 0;
    };
    void write(const std::string& key, std::int64_t version);
    [[nodiscard]] Document document(const std::string& key) const;
    [[nodiscard]] std::size_t documents() const;
    // While down, calls and probes fail as transient.
    std::atomic<bool> down{false};

private:
    mutable std::mutex mutex_;
    std::map<std::string, Document> documents_;
};

// A door that handlers wait at.
class Gate {
public:
    void close();
    void open();
    void pass();  // Waits while closed, 20 s at most.
    [[nodiscard]] int waiting() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable opened_;
    bool closed_ = false;
    int waiting_ = 0;
};

// Keeps the highest of what many threads say.
void raise_to(std::atomic<int>& highest, int value);

using OnOrder = std::function<Outcome(const orders::v1::OrderChanged&, Delivery&)>;
using OnRefund = std::function<Outcome(const orders::v1::RefundRecorded&, Delivery&)>;

HandlerSpec on_order(OnOrder handle);
HandlerSpec on_refund(OnRefund handle);
// Writes the order into the target under an intent.
OnOrder exporting(FakeTarget& target);
TargetSpec target_of(FakeTarget& target);

core::Error failure(core::ErrorKind kind, std::string code, std::string waits_for = {});

}  // namespace syncline::kit::testing
