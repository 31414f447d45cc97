#include "syncline/shopify/bulk.h"

#include <fmt/format.h>
#include <syncline/core/parse.h>
#include <syncline/json/writer.h>
#include <syncline/shopify/gid.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr auto kPieceMax = std::chrono::seconds{60};
constexpr auto kPieceAgain = std::chrono::seconds{1};
// A server without Range answers with everything at once: small results only.
constexpr std::size_t kWholeBytesMax = std::size_t{64} << 20U;

std::string id_json(std::string_view id) {
    json::Writer out;
    out.begin_object().member("id", std::string(id)).end_object();
    return std::move(out).take();
}

std::string text_in(const json::Value& object, std::string_view member) {
    const auto text = object.string_of(member);
    return text ? std::string(*text) : std::string();
}

// UnsignedInt64 comes as a text.
std::optional<std::uint64_t> count_in(const json::Value& object, std::string_view member) {
    const auto value = object.get_present(member);
    if (!value) {
        return std::nullopt;
    }
    const auto text = value->is_string() ? value->string() : value->number_text();
    const auto number = text ? core::parse_int<std::uint64_t>(*text) : core::Result<std::uint64_t>(std::unexpected(text.error()));
    return number ? std::optional(*number) : std::nullopt;
}

// "bytes 0-99/1234" → 1234.
std::optional<std::uint64_t> total_of(std::string_view content_range, std::uint64_t from) {
    if (!content_range.starts_with(fmt::format("bytes {}-", from))) {
        return std::nullopt;
    }
    const auto slash = content_range.rfind('/');
    const auto total = slash == std::string_view::npos ? core::Result<std::uint64_t>(std::uint64_t{0})
                                                       : core::parse_int<std::uint64_t>(content_range.substr(slash + 1));
    return slash != std::string_view::npos && total ? std::optional(*total) : std::nullopt;
}

// Pieces in, lines out; what a piece leaves of its last line waits for the next one.
class Lines {
public:
    Lines(const BulkQuery::Take& take, std::size_t line_bytes_max) : take_(take), line_bytes_max_(line_bytes_max) {}

    core::Result<void> feed(std::string_view piece) {
        bytes_ += piece.size();
        for (;;) {
            const auto end = piece.find('\n');
            if (end == std::string_view::npos) {
                break;
            }
            core::Result<void> taken;
            if (rest_.empty()) {
                taken = give(piece.substr(0, end));
            } else {
                rest_.append(piece.substr(0, end));
                taken = give(rest_);
                rest_.clear();
            }
            if (!taken) {
                return taken;
            }
            piece.remove_prefix(end + 1);
        }
        if (rest_.size() + piece.size() > line_bytes_max_) {
            return too_long();
        }
        rest_.append(piece);
        return {};
    }
    core::Result<void> finish() { return rest_.empty() ? core::Result<void>() : give(std::exchange(rest_, {})); }

    [[nodiscard]] std::uint64_t lines() const { return lines_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    [[nodiscard]] core::Result<void> too_long() const {
        return core::fail(ErrorKind::malformed, "bulk_line_too_long", fmt::format("line {} is too long", lines_ + 1));
    }
    core::Result<void> give(std::string_view line) {
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.size() > line_bytes_max_) {
            return too_long();
        }
        if (line.empty()) {
            return {};
        }
        ++lines_;
        return take_(line);
    }

    const BulkQuery::Take& take_;
    const std::size_t line_bytes_max_;
    std::string rest_;
    std::uint64_t lines_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace

struct BulkQuery::Run {
    Run(Admin& api, std::string bulk_id, BulkOptions bulk_options) : admin(api), id(std::move(bulk_id)), options(bulk_options) {}

    Admin& admin;
    const std::string id;
    const BulkOptions options;
    std::mutex mutex;
    std::condition_variable wake;
    bool hinted = false;

    void pause(std::chrono::nanoseconds duration, const core::Deadline& deadline) {
        auto& clock = admin.clock();
        std::unique_lock lock(mutex);
        clock.wait_until(lock, wake, std::min(deadline.at(), clock.steady() + duration), [&] { return hinted; });
        hinted = false;
    }

    // One piece from `from` on; an empty body when the result ends there. `total` is learned from the first and kept.
    core::Result<std::string> piece(const std::string& url, std::uint64_t from, std::optional<std::uint64_t>& total,
                                    std::string& etag, bool& whole, const core::Deadline& deadline) {
        auto response = admin.http().send(
            {.method = "GET",
             .url = url,
             .headers = {{"range", fmt::format("bytes={}-{}", from, from + options.piece_bytes - 1)}},
             .body = {},
             .content_type = {},
             .reply_bytes_max = from == 0 ? std::max(kWholeBytesMax, options.piece_bytes) : options.piece_bytes},
            deadline.sooner_of(core::Deadline(admin.clock(), kPieceMax)));
        if (!response) {
            if (response.error().code == "reply_too_large") {
                return core::fail(ErrorKind::rejected, "bulk_server_without_range",
                                  "the server of the result sends everything at once, and that is too large");
            }
            response.error().kind = ErrorKind::transient;
            return std::unexpected(std::move(response.error()));
        }
        const auto tag = response->headers.get("etag");
        if (response->status == 206) {
            const auto told = total_of(response->headers.get("content-range"), from);
            if (!told || (total && *told != *total) || (!etag.empty() && !tag.empty() && tag != etag) ||
                (response->body.empty() && from < *told)) {
                return core::fail(ErrorKind::conflict, "bulk_result_changed", "the result changed while it was read");
            }
            total = told;
            etag = std::string(tag);
            return std::move(response->body);
        }
        if (response->status == 200 && from == 0) {
            whole = true;
            return std::move(response->body);
        }
        if (response->status == 416) {
            return std::string();
        }
        if (response->status == 401 || response->status == 403 || response->status == 404 || response->status == 410) {
            return core::fail(ErrorKind::rejected, "bulk_result_gone",
                              fmt::format("the result cannot be fetched any more: HTTP {}", response->status),
                              "run the query again");
        }
        return core::fail(ErrorKind::transient, "bulk_result_unreachable",
                          fmt::format("the server of the result answers HTTP {}", response->status));
    }
};

BulkQuery::BulkQuery(Admin& admin, std::string id, BulkOptions options)
    : run_(std::make_shared<Run>(admin, std::move(id), options)) {}
BulkQuery::BulkQuery(BulkQuery&&) noexcept = default;
BulkQuery::~BulkQuery() = default;

const std::string& BulkQuery::id() const {
    return run_->id;
}

core::Result<BulkQuery> BulkQuery::start(Admin& admin, std::string_view query, BulkOptions options,
                                         const core::Deadline& deadline) {
    json::Writer out;
    out.begin_object().member("query", std::string(query)).end_object();
    auto reply = admin.call(kRunBulkQuery, {.json = std::move(out).take()}, options.priority, deadline);
    if (!reply) {
        auto error = std::move(reply.error());
        if (error.code == "invalid") {
            error.kind = ErrorKind::bug;
        }
        return std::unexpected(std::move(error));
    }
    const auto payload = reply->data().get_present("bulkOperationRunQuery");
    const auto operation = payload ? payload->get_present("bulkOperation") : std::nullopt;
    auto id = operation ? text_in(*operation, "id") : std::string();
    if (type_of(id) != "BulkOperation") {
        return core::fail(ErrorKind::unknown_outcome, "reply_unexpected", "Shopify's answer names no bulk operation");
    }
    return BulkQuery(admin, std::move(id), options);
}

core::Result<BulkState> BulkQuery::poll(const core::Deadline& deadline) {
    auto reply = run_->admin.call(kBulkOperation, {.json = id_json(run_->id)}, run_->options.priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    const auto operation = reply->data().get_present("bulkOperation");
    if (!operation) {
        return core::fail(ErrorKind::rejected, "bulk_unknown", "Shopify does not know this bulk operation",
                          "run the query again");
    }
    BulkState state{.status = text_in(*operation, "status"),
                    .error_code = text_in(*operation, "errorCode"),
                    .objects = count_in(*operation, "objectCount").value_or(0),
                    .file_bytes = count_in(*operation, "fileSize"),
                    .url = text_in(*operation, "url")};
    if (state.status.empty()) {
        return std::unexpected(operation->malformed("reply_unexpected", "has no status"));
    }
    return state;
}

core::Result<BulkState> BulkQuery::wait(const core::Deadline& deadline) {
    std::chrono::nanoseconds interval = run_->options.poll_first;
    for (;;) {
        auto state = poll(deadline);
        if (state && state->over()) {
            if (state->status == "COMPLETED") {
                return state;
            }
            if (state->error_code == "ACCESS_DENIED") {
                return core::fail(ErrorKind::unauthorized, "access_denied", "the app may not read what the bulk query asks for",
                                  "grant the app the access scope that this needs");
            }
            return core::fail(ErrorKind::conflict,
                              state->status == "FAILED"    ? "bulk_failed"
                              : state->status == "EXPIRED" ? "bulk_expired"
                                                           : "bulk_canceled",
                              fmt::format("the bulk query ended as {}", state->status == "FAILED" ? "failed" : "not completed"));
        }
        if (!state && state.error().kind != ErrorKind::transient && state.error().kind != ErrorKind::conflict &&
            state.error().kind != ErrorKind::throttled) {
            return state;
        }
        run_->pause(interval, deadline);
        if (deadline.passed()) {
            if (!state) {
                return state;
            }
            core::Error error{.kind = ErrorKind::throttled, .code = "bulk_running", .message = "the bulk query still runs"};
            error.retry_after = run_->options.poll_max;
            return std::unexpected(std::move(error));
        }
        interval = std::min<std::chrono::nanoseconds>(interval * 2, run_->options.poll_max);
    }
}

void BulkQuery::finished_hint() {
    {
        const std::lock_guard lock(run_->mutex);
        run_->hinted = true;
    }
    run_->wake.notify_all();
}

core::Result<BulkTotals> BulkQuery::stream(const Take& take, const core::Deadline& deadline) {
    auto state = poll(deadline);
    if (!state) {
        return std::unexpected(std::move(state.error()));
    }
    if (state->status != "COMPLETED") {
        return core::fail(ErrorKind::not_ready, "bulk_not_completed", "the bulk query has no complete result");
    }
    BulkTotals totals{.lines = 0, .bytes = 0, .objects = state->objects};
    if (state->url.empty()) {
        if (state->objects > 0) {
            return core::fail(ErrorKind::transient, "bulk_truncated", "Shopify counted objects but leaves no result");
        }
        return totals;
    }
    Lines lines(take, run_->options.line_bytes_max);
    std::optional<std::uint64_t> total;
    std::string etag;
    bool whole = false;
    int failures = 0;
    while (!whole && (!total || lines.bytes() < *total)) {
        auto piece = run_->piece(state->url, lines.bytes(), total, etag, whole, deadline);
        if (!piece) {
            if (piece.error().kind != ErrorKind::transient || ++failures >= run_->options.piece_attempts || deadline.passed()) {
                return std::unexpected(std::move(piece.error()));
            }
            run_->pause(kPieceAgain, deadline);
            continue;
        }
        failures = 0;
        if (piece->empty()) {
            break;
        }
        if (auto fed = lines.feed(*piece); !fed) {
            return std::unexpected(std::move(fed.error()));
        }
    }
    if (auto finished = lines.finish(); !finished) {
        return std::unexpected(std::move(finished.error()));
    }
    totals.lines = lines.lines();
    totals.bytes = lines.bytes();
    const auto announced = state->file_bytes ? state->file_bytes : total;
    if (announced && totals.bytes != *announced) {
        return core::fail(ErrorKind::transient, "bulk_truncated",
                          fmt::format("the result has {} bytes where {} were announced", totals.bytes, *announced));
    }
    return totals;
}

core::Result<void> BulkQuery::cancel(const core::Deadline& deadline) {
    auto reply = run_->admin.call(kCancelBulkOperation, {.json = id_json(run_->id)}, run_->options.priority, deadline);
    if (!reply) {
        return std::unexpected(std::move(reply.error()));
    }
    return {};
}

}  // namespace syncline::shopify
