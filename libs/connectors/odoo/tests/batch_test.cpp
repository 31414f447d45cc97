#include <syncline/telemetry/metrics.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "syncline/odoo/gateway.h"

using namespace syncline;
using core::ErrorKind;
using namespace std::chrono_literals;

namespace {

core::Result<odoo::Answer> answer(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.headers.add("content-type", "application/json");
    response.body = std::move(body);
    return odoo::read_json2(std::move(response));
}

// Plays `load`, `read`, `write` and actions of an Odoo the way it was observed.
class FakeOdoo final : public odoo::Transport {
public:
    core::Result<odoo::Answer> call(const odoo::Call& call, const core::Deadline&) override {
        const std::lock_guard lock(mutex_);
        calls.push_back(call);
        if (!script.empty()) {
            auto next = std::move(script.front());
            script.erase(script.begin());
            if (next) {
                return next(*this, call);
            }
        }
        return carry_out(call);
    }

    core::Result<odoo::Answer> carry_out(const odoo::Call& call) {
        if (call.method == "load") {
            return load(call);
        }
        if (call.method == "read") {
            std::string body = "[";
            for (const auto id : call.ids) {
                if (states.contains(id)) {
                    body += (body.size() > 1 ? "," : "") + std::string(R"({"id":)") + std::to_string(id) + R"(,"state":")" +
                            states[id] + R"("})";
                }
            }
            return answer(200, body + "]");
        }
        if (call.method == "action_confirm") {
            for (const auto id : call.ids) {
                if (states[id] != "draft" || poisoned.contains(std::to_string(id))) {
                    return answer(
                        422,
                        R"({"name":"odoo.exceptions.UserError","message":"Some orders are not in a state requiring confirmation."})");
                }
            }
            for (const auto id : call.ids) {
                states[id] = "sale";
            }
            return answer(200, "true");
        }
        return answer(200, "true");
    }

    std::vector<odoo::Call> calls;
    std::vector<std::function<core::Result<odoo::Answer>(FakeOdoo&, const odoo::Call&)>> script;  // An empty function: as usual.
    std::map<std::string, std::int64_t> created;
    std::map<std::int64_t, std::string> states;
    std::set<std::string> poisoned;
    std::set<std::string> locked;  // Somebody else holds these; Odoo's message is about serialization and names nobody.
    bool names_the_record = true;

private:
    core::Result<odoo::Answer> load(const odoo::Call& call) {
        const auto params = json::Document::parse(call.params).value();
        std::vector<std::string> names;
        for (const auto row : params.root().get("data")->elements()) {
            names.emplace_back((*row.elements().begin()).string().value());
        }
        if (std::ranges::any_of(names, [&](const auto& name) { return locked.contains(name); })) {
            return answer(200, R"({"ids":false,"messages":[{"type":"error","message":"could not serialize access"}]})");
        }
        std::string messages;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (poisoned.contains(names[i])) {
                // The observed copy with record 0 comes first.
                const auto text = R"("message":"no )" + names[i] + R"(","type":"error"})";
                messages += messages.empty() && names_the_record ? R"({"record":0,)" + text : "";
                messages += std::string(messages.empty() ? "" : ",") + "{" +
                            (names_the_record ? R"("record":)" + std::to_string(i) + "," : "") + text;
            }
        }
        if (!messages.empty()) {
            return answer(200, R"({"ids":false,"messages":[)" + messages + "]}");
        }
        std::string ids;
        for (const auto& name : names) {
            const auto [at, fresh] = created.try_emplace(name, static_cast<std::int64_t>(created.size()) + 1);
            ids += (ids.empty() ? "" : ",") + std::to_string(at->second);
        }
        return answer(200, R"({"ids":[)" + ids + R"(],"messages":[],"nextrow":0})");
    }
    std::mutex mutex_;
};

struct Rig {
    telemetry::Metrics metrics{"test"};
    std::shared_ptr<FakeOdoo> erp = std::make_shared<FakeOdoo>();
    odoo::Gateway gateway{
        erp, {.major = 19, .text = "19.0"}, {.linger = 50ms, .calls_in_flight = 1}, core::system_clock(), metrics};

    static core::SteadyTime soon() { return core::system_clock().steady() + 30s; }

    core::Result<std::vector<std::int64_t>> load(const std::string& name, core::SteadyTime until = soon()) {
        return gateway.create_once({.model = "sale.order", .scope = {}, .columns = {"id"}, .records = {{{name}}}, .context = {}},
                                   until);
    }
    // All at once, so that they share a call.
    template <typename Call>
    auto together(std::size_t count, Call call) {
        std::vector<decltype(call(std::size_t{}))> results(count);
        std::latch ready(static_cast<std::ptrdiff_t>(count));
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([&, i] {
                ready.arrive_and_wait();
                results[i] = call(i);
            });
        }
        threads.clear();
        return results;
    }
};

core::Result<odoo::Answer> lost(FakeOdoo& erp, const odoo::Call& call) {
    static_cast<void>(erp.carry_out(call));
    return core::fail(ErrorKind::unknown_outcome, "no_answer", "lost");
}

core::Result<odoo::Answer> collided(FakeOdoo&, const odoo::Call&) {
    return answer(
        200,
        R"({"ids":false,"messages":[{"type":"error","record":0,"message":"could not serialize access due to concurrent update"}]})");
}

}  // namespace

TEST_CASE("odoo gateway: one bad order of many fails alone and the others are created in few calls", "[odoo][unit]") {
    Rig rig;
    rig.erp->poisoned = {"syncline.o7", "syncline.o3"};
    const auto results = rig.together(20, [&](std::size_t i) { return rig.load("syncline.o" + std::to_string(i)); });
    for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK(results[i].has_value() == (i != 3 && i != 7));
    }
    CHECK(results[7].error().kind == ErrorKind::rejected);
    CHECK(rig.erp->created.size() == 18);
    CHECK(rig.erp->calls.size() <= 8);
}

TEST_CASE("odoo gateway: a refusal that names nobody is found by halves", "[odoo][unit]") {
    Rig rig;
    rig.erp->poisoned = {"syncline.o7"};
    rig.erp->names_the_record = false;
    const auto results = rig.together(16, [&](std::size_t i) { return rig.load("syncline.o" + std::to_string(i)); });
    for (std::size_t i = 0; i < results.size(); ++i) {
        CHECK(results[i].has_value() == (i != 7));
    }
    CHECK(rig.erp->created.size() == 15);
}

TEST_CASE("odoo gateway: a lost answer is sent again and answers the same ids", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {lost};
    const auto id = rig.load("syncline.o1");
    REQUIRE(id);
    CHECK(rig.erp->created.size() == 1);
    CHECK(rig.erp->calls.size() == 2);
}

TEST_CASE("odoo gateway: an answer that stays lost is an unknown outcome", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {lost, lost, lost};
    CHECK(rig.load("syncline.o1").error().kind == ErrorKind::unknown_outcome);
    CHECK(rig.erp->calls.size() == 3);
}

TEST_CASE("odoo gateway: a serialization message is sent again, and if it stays it is a conflict", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {collided};
    CHECK(rig.load("syncline.o1").has_value());
    rig.erp->script = {collided, collided, collided};
    CHECK(rig.load("syncline.o2").error().kind == ErrorKind::conflict);
}

TEST_CASE("odoo gateway: a lock that stays holds up its own record alone", "[odoo][unit]") {
    Rig rig;
    rig.erp->locked = {"syncline.o5", "syncline.o11"};
    const auto results = rig.together(16, [&](std::size_t i) { return rig.load("syncline.o" + std::to_string(i)); });
    for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK(results[i].has_value() == (i != 5 && i != 11));
    }
    CHECK(results[5].error().kind == ErrorKind::conflict);
    CHECK(rig.erp->created.size() == 14);
    CHECK(rig.erp->calls.size() <= 24);
}

TEST_CASE("odoo gateway: a member whose lease has run out is taken out of the batch and nothing is sent for it", "[odoo][unit]") {
    Rig rig;
    const auto results = rig.together(4, [&](std::size_t i) {
        return rig.load("syncline.o" + std::to_string(i), i == 2 ? core::system_clock().steady() : Rig::soon());
    });
    CHECK(results[2].error().code == "lease_expired");
    CHECK(rig.erp->created.size() == 3);
    CHECK(!rig.erp->created.contains("syncline.o2"));
}

TEST_CASE("odoo gateway: a target that is gone fails the whole batch as transient", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {[](FakeOdoo&, const odoo::Call&) {
        return core::fail(ErrorKind::transient, "connection_refused", "gone");
    }};
    CHECK(rig.load("syncline.o1").error().kind == ErrorKind::transient);
    CHECK(rig.erp->calls.size() == 1);
}

TEST_CASE("odoo gateway: requests with other columns or another company never share a call", "[odoo][unit]") {
    Rig rig;
    static_cast<void>(rig.together(6, [&](std::size_t i) {
        std::vector<std::string> columns{"id"};
        odoo::Row row{"syncline.o" + std::to_string(i)};
        if (i % 2 == 1) {
            columns.emplace_back("warehouse_id/.id");
            row.emplace_back("1");
        }
        return rig.gateway.create_once({.model = "sale.order",
                                        .scope = {.company = i < 2 ? 2 : 1, .language = {}},
                                        .columns = columns,
                                        .records = {{row}},
                                        .context = {}},
                                       Rig::soon());
    }));
    for (const auto& call : rig.erp->calls) {
        const auto params = json::Document::parse(call.params).value();
        const auto width = params.root().get("fields")->size();
        for (const auto row : params.root().get("data")->elements()) {
            CHECK(row.size() == width);
        }
    }
    CHECK(rig.erp->calls.size() == 4);
    CHECK(rig.erp->calls.front().context.find(R"("mode":"update","noupdate":true)") != std::string::npos);
    CHECK(rig.erp->calls.front().context.find(R"("tz":"UTC")") != std::string::npos);
}

TEST_CASE("odoo gateway: confirming leaves out what is confirmed and finds the one that cannot be", "[odoo][unit]") {
    Rig rig;
    for (std::int64_t id = 1; id <= 8; ++id) {
        rig.erp->states[id] = id == 4 ? "sale" : "draft";
    }
    rig.erp->poisoned = {"6"};
    const auto results = rig.together(8, [&](std::size_t i) {
        return rig.gateway.act({.model = "sale.order",
                                .method = "action_confirm",
                                .scope = {},
                                .id = static_cast<std::int64_t>(i) + 1,
                                .done_states = {"sale", "done"},
                                .context = {}},
                               Rig::soon());
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
        CAPTURE(i);
        CHECK(results[i].has_value() == (i != 5));
    }
    CHECK(results[5].error().kind == ErrorKind::rejected);
    CHECK(std::ranges::count_if(rig.erp->states, [](const auto& s) { return s.second == "sale"; }) == 7);
}

TEST_CASE("odoo gateway: a confirmation whose answer is lost is looked up before it is asked for again", "[odoo][unit]") {
    Rig rig;
    const auto never = [](FakeOdoo&, const odoo::Call&) {
        return core::fail(ErrorKind::unknown_outcome, "no_answer", "never carried out");
    };
    const auto confirm = [&](std::int64_t id) {
        rig.erp->states[id] = "draft";
        rig.erp->calls.clear();
        return rig.gateway.act(
            {.model = "sale.order", .method = "action_confirm", .scope = {}, .id = id, .done_states = {"sale"}, .context = {}},
            Rig::soon());
    };
    rig.erp->script = {lost};
    CHECK(confirm(1).has_value());
    CHECK(rig.erp->calls.size() == 2);
    rig.erp->script = {never};
    CHECK(confirm(2).has_value());
    CHECK(rig.erp->states[2] == "sale");
    rig.erp->script = {never, {}, never, {}, never, {}};
    CHECK(confirm(3).error().kind == ErrorKind::unknown_outcome);
}

TEST_CASE("odoo gateway: a record that does not exist any more is a decision for a person", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {[](FakeOdoo&, const odoo::Call&) {
        return answer(404, R"({"name":"odoo.exceptions.MissingError","message":"Record does not exist"})");
    }};
    CHECK(
        rig.gateway
            .act(
                {.model = "sale.order", .method = "action_confirm", .scope = {}, .id = 9, .done_states = {"sale"}, .context = {}},
                Rig::soon())
            .error()
            .code == "document_vanished");
}

TEST_CASE("odoo gateway: equal values are written together, ids that are missing are absent from a read", "[odoo][unit]") {
    Rig rig;
    static_cast<void>(rig.together(6, [&](std::size_t i) {
        return rig.gateway.write({.model = "sale.order",
                                  .scope = {},
                                  .id = static_cast<std::int64_t>(i) + 1,
                                  .values = i < 4 ? R"({"date_order":"a"})" : R"({"date_order":"b"})"},
                                 Rig::soon());
    }));
    CHECK(rig.erp->calls.size() == 2);
    rig.erp->states = {{1, "draft"}, {2, "sale"}};
    const auto found = rig.gateway.read({.model = "sale.order", .scope = {}, .ids = {1, 7, 2}, .fields = {"state"}},
                                        core::Deadline(core::system_clock(), 10s));
    REQUIRE(found);
    CHECK(found->size() == 2);
}

TEST_CASE("odoo gateway: a read whose answer is lost is an absent target, never an unknown outcome", "[odoo][unit]") {
    Rig rig;
    rig.erp->script = {lost};
    const auto found = rig.gateway.read({.model = "sale.order", .scope = {}, .ids = {1}, .fields = {"state"}},
                                        core::Deadline(core::system_clock(), 10s));
    CHECK(found.error().kind == ErrorKind::transient);
}
