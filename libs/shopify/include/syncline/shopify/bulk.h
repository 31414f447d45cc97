// Bulk queries: Shopify runs a query over everything and leaves the result as a file of JSON lines.
//
//   auto bulk = BulkQuery::start(admin, "{ inventoryItems { edges { node { id sku } } } }", {}, deadline);
//   …store bulk->id()…                                  // a restart goes on with BulkQuery(admin, id, {})
//   if (auto done = bulk->wait(deadline); !done) return std::unexpected(done.error());
//   auto totals = bulk->stream([&](std::string_view line) { return take(line); }, deadline);
//
// The result is fetched in pieces by Range requests and given line by line, so that memory does not depend on its size; a piece
// whose connection breaks is fetched again from where it stopped. A result that ends before the size Shopify announced is an
// Error after its last line: act on the whole only when stream() says so. Lines of nested objects carry __parentId and need not
// stand behind their parent.
//
// One thread at a time, but for finished_hint(). Each call blocks its caller, at most to the deadline.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <syncline/shopify/admin.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::shopify {

struct BulkOptions {
    Priority priority = Priority::rest;
    std::chrono::milliseconds poll_first{1'000};
    std::chrono::milliseconds poll_max{30'000};  // The interval doubles up to this.
    std::size_t piece_bytes = std::size_t{4} << 20U;
    std::size_t line_bytes_max = std::size_t{4} << 20U;
    int piece_attempts = 5;  // Of one piece, after transient failures.
};

struct BulkState {
    std::string status;  // "CREATED", "RUNNING", "COMPLETED", "CANCELING", "CANCELED", "FAILED", "EXPIRED"
    std::string error_code;
    std::uint64_t objects = 0;
    std::optional<std::uint64_t> file_bytes;
    std::string url;  // Empty: not completed, or completed with nothing in it.
    [[nodiscard]] bool over() const { return status != "CREATED" && status != "RUNNING" && status != "CANCELING"; }
};

struct BulkTotals {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
    std::uint64_t objects = 0;  // As Shopify counted them.
};

class BulkQuery {
public:
    // Kind throttled, code "limit_reached" or "operation_in_progress", when the shop runs as many as it may; kind bug, code
    // "invalid", for a query that cannot run in bulk.
    [[nodiscard]] static core::Result<BulkQuery> start(Admin& admin, std::string_view query, BulkOptions options,
                                                       const core::Deadline& deadline);
    // One that was started before.
    BulkQuery(Admin& admin, std::string id, BulkOptions options);
    BulkQuery(BulkQuery&&) noexcept;
    ~BulkQuery();

    [[nodiscard]] const std::string& id() const;
    // One look.
    [[nodiscard]] core::Result<BulkState> poll(const core::Deadline& deadline);
    // Looks until it is over. Kind throttled, code "bulk_running", at the deadline (wait again later); conflict, "bulk_failed",
    // "bulk_canceled" or "bulk_expired"; unauthorized, "access_denied". A lost look is repeated.
    [[nodiscard]] core::Result<BulkState> wait(const core::Deadline& deadline);
    // bulk_operations/finish came for it: wait() looks at once. Any thread.
    void finished_hint();
    // Every line of the completed result, without its newline. An Error of `take` ends it. Kind transient, code "bulk_truncated",
    // when the result is shorter than announced or changed while it was read.
    using Take = std::function<core::Result<void>(std::string_view line)>;
    [[nodiscard]] core::Result<BulkTotals> stream(const Take& take, const core::Deadline& deadline);
    [[nodiscard]] core::Result<void> cancel(const core::Deadline& deadline);

private:
    struct Run;
    std::shared_ptr<Run> run_;
};

}  // namespace syncline::shopify
