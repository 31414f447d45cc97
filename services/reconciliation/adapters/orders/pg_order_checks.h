// The memory of the check of orders in PostgreSQL: watermarks, what is to be fetched, what operators asked for.
//
//   service.migration("0003_order_checks", kOrderChecksSchema);
//
// Any thread of any instance. Every member is one transaction; what leaves goes through the outbox in it. Errors: those of
// libs/postgres, and of Kafka for ledger_current().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "adapters/pg_received_orders.h"
#include "app/order_ports.h"

namespace syncline::kafka {
class Fetcher;
}

namespace reconciliation {

extern const std::string_view kOrderChecksSchema;

// A run as operators see it.
struct RunReport {
    OrderRun run;
    std::string state;  // running, done, failed
    std::int64_t listed = 0;
    std::int64_t found = 0;
    std::int64_t published = 0;
    std::int64_t came = 0;
    std::int64_t gone = 0;
    std::int64_t failed = 0;
    std::string code;
    std::string message;
    std::string actor;
    std::vector<std::int64_t> sample;  // Of a dry run: the first hundred found.
    core::SystemTime created_at;
    std::optional<core::SystemTime> finished_at;
};

class PgOrderChecks final : public OrderChecks {
public:
    // Positions behind the newest records of orders.v1, by partition.
    using NewestRecords = std::function<core::Result<std::map<std::int32_t, std::int64_t>>(const core::Deadline&)>;

    // All outlive it. `settle`: how long consumers are given for what was published before inventory-sync is told. `catch_up`:
    // how long ledger_current() waits for the ledger, which is always a little behind while orders come.
    PgOrderChecks(postgres::Pool& pool, ReceivedOrders& received, NewestRecords newest, core::Clock& clock,
                  std::chrono::milliseconds settle, std::chrono::milliseconds catch_up = std::chrono::seconds{5});

    [[nodiscard]] core::Result<bool> ledger_current() override;
    [[nodiscard]] core::Result<std::map<std::int64_t, ReceivedOrder>> received(const std::string& shop,
                                                                               const std::vector<std::int64_t>& ids) override;
    [[nodiscard]] core::Result<std::vector<std::pair<std::int64_t, ReceivedOrder>>> waiting(const std::string& shop,
                                                                                            core::SystemTime before,
                                                                                            int most) override;
    [[nodiscard]] core::Result<GapState> state(const std::string& shop) override;
    [[nodiscard]] core::Result<std::vector<std::int64_t>> note_page(const std::string& shop, const std::vector<Lookup>& found,
                                                                    const std::optional<core::SystemTime>& watermark) override;
    [[nodiscard]] core::Result<void> note_pass(const std::string& shop, core::SystemTime covered) override;
    [[nodiscard]] core::Result<std::vector<Lookup>> due(const std::string& shop, int most) override;
    [[nodiscard]] core::Result<std::int64_t> publish(const std::string& shop, const Lookup& lookup,
                                                     const OrderAsEvents& order) override;
    [[nodiscard]] core::Result<void> publish_gone(const std::string& shop, const Lookup& lookup) override;
    [[nodiscard]] core::Result<void> settle(const std::string& shop, const Lookup& lookup, LookupEnd end) override;
    [[nodiscard]] core::Result<void> postpone(const std::string& shop, const Lookup& lookup, core::SystemTime until,
                                              const std::string& code) override;
    [[nodiscard]] core::Result<std::optional<core::SystemTime>> clearable(const std::string& shop) override;
    [[nodiscard]] core::Result<void> note_cleared(const std::string& shop, core::SystemTime until) override;
    [[nodiscard]] core::Result<std::optional<OrderRun>> open_run(const std::string& shop) override;
    [[nodiscard]] core::Result<void> note_step(const OrderRun& run, const RunStep& step) override;
    [[nodiscard]] core::Result<void> end_run(const OrderRun& run, const std::optional<core::Error>& error) override;
    [[nodiscard]] core::Result<void> tidy() override;

    // Operators. The run and its row of the audit, together.
    [[nodiscard]] core::Result<void> begin_run(const OrderRun& run, const std::string& actor, const std::string& reason);
    // kind not_ready, code "run_unknown".
    [[nodiscard]] core::Result<RunReport> report(const std::string& id);
    // The newest first.
    [[nodiscard]] core::Result<std::vector<RunReport>> reports(int most);

private:
    core::Result<void> send(postgres::Transaction& tx, const std::string& shop, const std::vector<LeavingEvent>& events);
    core::Result<void> end_lookup(postgres::Transaction& tx, const std::string& shop, const Lookup& lookup, LookupEnd end);
    core::Result<bool> has_read(const std::map<std::int32_t, std::int64_t>& newest);
    [[nodiscard]] core::Deadline soon() const;

    postgres::Pool& pool_;
    ReceivedOrders& received_;
    NewestRecords newest_;
    core::Clock& clock_;
    std::chrono::milliseconds settle_;
    std::chrono::milliseconds catch_up_;
};

}  // namespace reconciliation
