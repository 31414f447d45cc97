#include "adapters/odoo_document_feeds.h"

#include <syncline/telemetry/metrics.h>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

using namespace order_export;
namespace odoo = syncline::odoo;
using namespace std::chrono_literals;

namespace {

// Answers by "model.method", each list of pages in order, the last one again and again.
class PagedOdoo final : public odoo::Transport {
public:
    std::map<std::string, std::deque<std::string>> pages{
        {"sale.order.line.fields_get", {"{}"}},
        {"sale.order.fields_get", {R"({"warehouse_id":{"type":"many2one"},"delivery_status":{"type":"selection"}})"}},
        {"res.company.search_read", {"[]"}},
        {"sale.order.search_read", {"[]"}},
        {"stock.picking.search_read", {"[]"}},
        {"account.move.search_read", {"[]"}},
    };
    std::map<std::string, std::pair<int, std::string>> errors;
    std::vector<odoo::Call> calls;

    core::Result<odoo::Answer> call(const odoo::Call& call, const core::Deadline&) override {
        const std::lock_guard lock(mutex_);
        calls.push_back(call);
        const auto name = call.model + "." + call.method;
        syncline::http::Response response;
        response.status = 200;
        response.headers.add("content-type", "application/json");
        if (const auto error = errors.find(name); error != errors.end()) {
            response.status = error->second.first;
            response.body = error->second.second;
        } else {
            auto& answers = pages.at(name);
            response.body = answers.front();
            if (answers.size() > 1) {
                answers.pop_front();
            }
        }
        return odoo::read_json2(std::move(response));
    }
    std::size_t asked(std::string_view model) {
        return static_cast<std::size_t>(std::ranges::count_if(
            calls, [&](const odoo::Call& call) { return call.model == model && call.method == "search_read"; }));
    }

private:
    std::mutex mutex_;
};

struct Rig {
    syncline::telemetry::Metrics metrics{"test"};
    std::shared_ptr<PagedOdoo> server = std::make_shared<PagedOdoo>();
    odoo::Gateway gateway{
        server, {.major = 19, .text = "19.0"}, {.linger = 0ms, .read_linger = 0ms}, core::system_clock(), metrics};
    OdooDocumentFeeds feeds{gateway};
    core::SystemTime since{1'763'633'730s};  // 2025-11-20 10:15:30

    core::Result<FeedChanges> changed(Feed feed) { return feeds.changed(feed, since, core::Deadline(core::system_clock(), 30s)); }
};

}  // namespace

TEST_CASE("documents: orders are read by write_date from the second of the last look on, page by page", "[order-export][unit]") {
    Rig rig;
    std::string full = "[";
    for (int id = 1; id <= 500; ++id) {
        full += std::string(id == 1 ? "" : ",") + R"({"id":)" + std::to_string(id) + R"(,"write_date":"2025-11-20 10:15:31"})";
    }
    rig.server->pages["sale.order.search_read"] = {full + "]", R"([{"id":501,"write_date":"2025-11-20 10:15:31.250"}])"};
    rig.since += 700ms;
    const auto changes = rig.changed(Feed::orders);
    REQUIRE(changes);
    CHECK(changes->documents.size() == 501);
    CHECK(changes->newest == core::SystemTime{1'763'633'731s});
    REQUIRE(rig.server->asked("sale.order") == 2);
    const auto& calls = rig.server->calls;
    const auto first =
        std::ranges::find_if(calls, [](const auto& call) { return call.method == "search_read" && call.model == "sale.order"; });
    CHECK(first->params.contains(R"(["write_date",">=","2025-11-20 10:15:30"])"));
    CHECK(calls.back().params.contains(R"(["write_date","=","2025-11-20 10:15:31"],["id",">",500])"));
}

TEST_CASE("documents: transfers and invoices lead to their orders", "[order-export][unit]") {
    Rig rig;
    rig.server->pages["stock.picking.search_read"] = {
        R"([{"id":1,"write_date":"2025-11-20 10:15:31","sale_id":[42,"S00042"]},{"id":2,"write_date":"2025-11-20 10:15:32","sale_id":[42,"S00042"]}])"};
    CHECK(rig.changed(Feed::transfers)->documents == std::vector<TargetId>{"42"});
    rig.server->pages["account.move.search_read"] = {R"([{"id":900,"write_date":"2025-11-20 10:15:31"}])"};
    rig.server->pages["sale.order.search_read"] = {R"([{"id":43,"name":"S00043"},{"id":44,"name":"S00044"}])"};
    CHECK(rig.changed(Feed::invoices)->documents == std::vector<TargetId>{"43", "44"});
    CHECK(rig.server->calls.back().params.contains(R"(["invoice_ids","in",[900]])"));
}

TEST_CASE("documents: without the module or the rights a feed is empty and is not asked again", "[order-export][unit]") {
    Rig rig;
    rig.server->pages["sale.order.fields_get"] = {"{}"};
    CHECK(rig.changed(Feed::transfers)->documents.empty());
    CHECK(rig.server->asked("stock.picking") == 0);
    rig.server->errors["account.move.search_read"] = {
        403, R"({"name":"odoo.exceptions.AccessError","message":"no","arguments":[],"context":{},"debug":""})"};
    CHECK(rig.changed(Feed::invoices)->documents.empty());
    CHECK(rig.changed(Feed::invoices)->documents.empty());
    CHECK(rig.server->asked("account.move") == 1);
}

TEST_CASE("documents: a target that is away, or answers nonsense, is an error and no empty feed", "[order-export][unit]") {
    Rig rig;
    rig.server->errors["sale.order.search_read"] = {404, "<html>"};
    CHECK_FALSE(rig.changed(Feed::orders));
    rig.server->errors.clear();
    for (const std::string answer :
         {R"({"a":1})", R"([{"write_date":"2025-11-20 10:15:31"}])", R"([{"id":1,"write_date":false}])"}) {
        rig.server->pages["sale.order.search_read"] = {answer};
        CHECK(rig.changed(Feed::orders).error().code == "reply_unexpected");
    }
}

TEST_CASE("documents: progress is read in the words of all versions", "[order-export][unit]") {
    Rig rig;
    rig.server->pages["sale.order.read"] = {
        R"([{"id":7,"name":"S00007","state":"sale","invoice_status":"to invoice","delivery_status":"partial"},)"
        R"({"id":8,"name":"S00008","state":"cancel","invoice_status":"no","delivery_status":false}])"};
    const std::vector<TargetId> ids{"7", "8", "9"};
    const auto found = rig.feeds.read(ids, core::Deadline(core::system_clock(), 30s));
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(found->front().progress == DocumentProgress{.state = "sale", .invoicing = "to_invoice", .delivery = "partial"});
    CHECK(found->back().progress == DocumentProgress{.state = "cancel", .invoicing = "no", .delivery = ""});
    Rig bare;
    bare.server->pages["sale.order.fields_get"] = {"{}"};
    bare.server->pages["sale.order.read"] = {R"([{"id":7,"name":"S00007","state":"sale","invoice_status":"no"}])"};
    REQUIRE(bare.feeds.read(ids, core::Deadline(core::system_clock(), 30s)));
    CHECK_FALSE(bare.server->calls.back().params.contains("delivery_status"));
}
