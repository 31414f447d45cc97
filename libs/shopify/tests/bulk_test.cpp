#include <syncline/core/parse.h>
#include <syncline/shopify/bulk.h>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

constexpr const char* kId = "gid://shopify/BulkOperation/1";

// Where Shopify leaves results: answers Range requests, or not.
struct Store {
    std::string content;
    bool ranges = true;
    std::atomic<int> lose{0};  // So many requests end without an answer.
    std::atomic<int> status{0};
    std::atomic<int> asked{0};

    http::testing::StubAnswer operator()(const http::IncomingRequest& request) {
        ++asked;
        if (lose > 0) {
            --lose;
            return {.reply = {}, .lose = true};
        }
        if (status != 0) {
            return json_answer("", status);
        }
        if (!ranges) {
            return json_answer(content);
        }
        const auto range = request.get("range").substr(6);
        const auto dash = range.find('-');
        const auto from = core::parse_int<std::size_t>(range.substr(0, dash)).value();
        const auto to = std::min(core::parse_int<std::size_t>(range.substr(dash + 1)).value(), content.size() - 1);
        if (from >= content.size()) {
            return json_answer("", 416);
        }
        return json_answer(content.substr(from, to - from + 1), 206,
                           {{"content-range", fmt::format("bytes {}-{}/{}", from, to, content.size())}, {"etag", "\"1\""}});
    }
};

std::string operation(const std::string& status, const std::string& more = {}) {
    return fmt::format(R"({{"bulkOperation":{{"id":"{}","status":"{}","errorCode":null,"objectCount":"3"{}}}}})", kId, status,
                       more);
}

// A shop whose bulk operation is complete, with `content` as its result.
struct BulkRig {
    Store store;
    std::string announced;  // More members of the operation.
    http::testing::StubServer files{[this](const http::IncomingRequest& request) {
        return store(request);
    }};
    Rig rig{[this](const http::IncomingRequest&) {
        return data_answer(operation("COMPLETED", fmt::format(R"(,"url":"{}/result.jsonl"{})", files.url(), announced)));
    }};

    core::Result<BulkTotals> stream(std::vector<std::string>& lines, BulkOptions options) {
        BulkQuery bulk(rig.admin(), kId, options);
        return bulk.stream(
            [&](std::string_view line) -> core::Result<void> {
                lines.emplace_back(line);
                return {};
            },
            rig.deadline);
    }
};

}  // namespace

TEST_CASE("bulk: what cannot start says whether it may later", "[shopify][http]") {
    std::mutex mutex;
    std::string code;
    Rig rig([&](const http::IncomingRequest&) {
        const std::lock_guard lock(mutex);
        return data_answer(R"({"bulkOperationRunQuery":{"bulkOperation":null,"userErrors":[{"code":")" + code +
                           R"(","field":["query"],"message":"x"}]}})");
    });
    for (const auto& [said, kind] :
         std::vector<std::pair<std::string, ErrorKind>>{{"OPERATION_IN_PROGRESS", ErrorKind::throttled},
                                                        {"LIMIT_REACHED", ErrorKind::throttled},
                                                        {"INVALID", ErrorKind::bug}}) {
        {
            const std::lock_guard lock(mutex);
            code = said;
        }
        const auto started = BulkQuery::start(rig.admin(), "{ x }", {}, rig.deadline);
        REQUIRE_FALSE(started);
        CHECK(started.error().kind == kind);
    }
}

TEST_CASE("bulk: an operation that ends without a result says why", "[shopify][http]") {
    std::mutex mutex;
    std::string state;
    Rig rig([&](const http::IncomingRequest&) {
        const std::lock_guard lock(mutex);
        return data_answer(state);
    });
    const auto ended = [&](const std::string& next) {
        {
            const std::lock_guard lock(mutex);
            state = next;
        }
        BulkQuery bulk(rig.admin(), kId, {});
        return bulk.wait(rig.deadline).error();
    };
    CHECK(ended(operation("FAILED")).code == "bulk_failed");
    CHECK(ended(operation("CANCELED")).code == "bulk_canceled");
    CHECK(ended(operation("EXPIRED")).code == "bulk_expired");
    CHECK(ended(R"({"bulkOperation":{"id":"x","status":"FAILED","errorCode":"ACCESS_DENIED"}})").kind == ErrorKind::unauthorized);
    CHECK(ended(R"({"bulkOperation":null})").code == "bulk_unknown");
}

TEST_CASE("bulk: it is looked at ever more rarely, through failures, and at once when its webhook came", "[shopify][http]") {
    core::ManualClock clock;
    std::atomic<int> looks{0};
    std::atomic<bool> done{false};
    Rig rig(
        [&](const http::IncomingRequest& request) {
            if (runs(request, "RunBulkQuery")) {
                return data_answer(fmt::format(
                    R"({{"bulkOperationRunQuery":{{"bulkOperation":{{"id":"{}","status":"CREATED"}},"userErrors":[]}}}})", kId));
            }
            ++looks;
            return done         ? data_answer(operation("COMPLETED"))
                   : looks == 2 ? json_answer("", 503)
                                : data_answer(operation("RUNNING"));
        },
        clock);
    rig.deadline = core::Deadline(clock, 24h);
    auto bulk = BulkQuery::start(rig.admin(), "{ orders { edges { node { id } } } }", {}, rig.deadline);
    REQUIRE(bulk);
    CHECK(bulk->id() == kId);
    std::optional<core::Result<BulkState>> state;
    std::atomic<bool> over{false};
    std::thread waiter([&] {
        state = bulk->wait(rig.deadline);
        over = true;
    });
    std::vector<bool> seen;
    const auto look_after = [&](std::chrono::seconds time, int count) {
        std::this_thread::sleep_for(50ms);  // It is in its pause.
        clock.advance(time);
        seen.push_back(eventually([&] { return looks == count; }));
    };
    seen.push_back(eventually([&] { return looks == 1; }));
    look_after(1s, 2);
    look_after(2s, 3);
    look_after(4s, 4);
    std::this_thread::sleep_for(50ms);
    done = true;
    bulk->finished_hint();
    seen.push_back(eventually([&] { return over.load(); }));
    clock.advance(1h);
    waiter.join();
    CHECK(seen == std::vector<bool>(5, true));
    REQUIRE(state.has_value());
    REQUIRE(state->has_value());
    CHECK((*state)->status == "COMPLETED");
    CHECK((*state)->objects == 3);
}

TEST_CASE("bulk: one that runs on at the deadline can be waited for again", "[shopify][http]") {
    core::ManualClock clock;
    Rig rig([&](const http::IncomingRequest&) { return data_answer(operation("RUNNING")); }, clock);
    std::optional<core::Result<BulkState>> state;
    std::thread waiter([&] {
        BulkQuery bulk(rig.admin(), kId, {});
        state = bulk.wait(core::Deadline(clock, 500ms));
    });
    eventually([&] { return !rig.stub.requests().empty(); });
    std::this_thread::sleep_for(50ms);
    clock.advance(500ms);
    waiter.join();
    REQUIRE(state.has_value());
    REQUIRE_FALSE(state->has_value());
    CHECK(state->error().code == "bulk_running");
    CHECK(state->error().kind == ErrorKind::throttled);
}

TEST_CASE("bulk: a result that is shorter than announced is an error, after its lines", "[shopify][http]") {
    BulkRig bulk;
    bulk.store.content = "{\"id\":1}\n{\"id\":2}\n";
    bulk.announced = R"(,"fileSize":"27")";
    std::vector<std::string> lines;
    const auto totals = bulk.stream(lines, {});
    REQUIRE_FALSE(totals);
    CHECK(totals.error().code == "bulk_truncated");
    CHECK(lines.size() == 2);
}

TEST_CASE("bulk: objects without a result are an error, none of both is an empty result", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(operation("COMPLETED", R"(,"url":null)")); });
    const auto take = [](std::string_view) -> core::Result<void> {
        return {};
    };
    CHECK(BulkQuery(rig.admin(), kId, {}).stream(take, rig.deadline).error().code == "bulk_truncated");
    rig.stub.answer_with([](const http::IncomingRequest&) {
        return data_answer(R"({"bulkOperation":{"id":"x","status":"COMPLETED","objectCount":"0","url":null}})");
    });
    const auto empty = BulkQuery(rig.admin(), kId, {}).stream(take, rig.deadline);
    REQUIRE(empty);
    CHECK(empty->lines == 0);
    rig.stub.answer_with([](const http::IncomingRequest&) { return data_answer(operation("RUNNING")); });
    CHECK(BulkQuery(rig.admin(), kId, {}).stream(take, rig.deadline).error().kind == ErrorKind::not_ready);
}

TEST_CASE("bulk: lines are whole whatever the pieces are, and broken pieces are fetched again", "[shopify][http]") {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{4096}}) {
        BulkRig bulk;
        std::vector<std::string> wanted;
        for (int i = 0; i < 40; ++i) {
            wanted.push_back(fmt::format(R"({{"id":{},"t":"{}"}})", i, std::string(static_cast<std::size_t>(i % 5), 'x')));
            bulk.store.content += wanted.back() + "\n";
        }
        bulk.store.content.pop_back();  // The last line ends with the file.
        bulk.announced = fmt::format(R"(,"fileSize":"{}")", bulk.store.content.size());
        bulk.store.lose = piece == 64 ? 1 : 0;
        std::vector<std::string> lines;
        const auto totals = bulk.stream(lines, {.piece_bytes = piece});
        REQUIRE(totals);
        CHECK(lines == wanted);
        CHECK(totals->lines == 40);
        CHECK(totals->bytes == bulk.store.content.size());
        // The token stays at Shopify's own door.
        CHECK(bulk.files.requests().back().headers.get("x-shopify-access-token").empty());
    }
}

TEST_CASE("bulk: a small result from a server without Range is taken whole", "[shopify][http]") {
    BulkRig bulk;
    bulk.store.ranges = false;
    bulk.store.content = "{\"id\":1}\r\n\n{\"id\":2}\n";
    std::vector<std::string> lines;
    REQUIRE(bulk.stream(lines, {.piece_bytes = 4}));
    CHECK(lines == std::vector<std::string>{"{\"id\":1}", "{\"id\":2}"});
    CHECK(bulk.store.asked == 1);
}

TEST_CASE("bulk: a result that is gone, a line without end and a taker that refuses end it", "[shopify][http]") {
    BulkRig bulk;
    bulk.store.content = std::string(5000, 'x') + "\n{}\n";
    std::vector<std::string> lines;
    CHECK(bulk.stream(lines, {.piece_bytes = 100, .line_bytes_max = 1000}).error().code == "bulk_line_too_long");
    CHECK(lines.empty());
    BulkQuery refusing(bulk.rig.admin(), kId, {});
    CHECK(refusing
              .stream([](std::string_view) { return core::Result<void>(core::fail(ErrorKind::malformed, "bad_line", "x")); },
                      bulk.rig.deadline)
              .error()
              .code == "bad_line");
    bulk.store.status = 403;
    CHECK(bulk.stream(lines, {}).error().code == "bulk_result_gone");
}

TEST_CASE("bulk: it can be canceled", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return runs(request, "CancelBulkOperation")
                   ? data_answer(R"({"bulkOperationCancel":{"bulkOperation":{"id":"x","status":"CANCELING"},"userErrors":[]}})")
                   : json_answer("", 500);
    });
    CHECK(BulkQuery(rig.admin(), kId, {}).cancel(rig.deadline));
}
