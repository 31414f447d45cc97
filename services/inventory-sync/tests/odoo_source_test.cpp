#include "adapters/sources/odoo_source.h"

#include <syncline/json/document.h>
#include <syncline/json/writer.h>

#include "tests/kept_reports.h"
#include "tests/rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;
namespace json = syncline::json;
namespace odoo = syncline::odoo;

namespace {

// Answers searches over records whose members are JSON texts, as Odoo would: leaves of =, in, >, >= and child_of.
class FakeOdoo final : public odoo::Transport {
public:
    using Record = std::map<std::string, std::string>;
    std::map<std::string, std::map<std::int64_t, Record>> models;
    std::vector<std::string> asked;
    std::vector<std::string> contexts;
    std::string denied;  // This model may not be read.
    bool away = false;
    std::int64_t next_id = 1;

    FakeOdoo() {
        models["stock.warehouse"][1] = {{"code", "\"WH\""}, {"lot_stock_id", "[8,\"WH/Stock\"]"}};
        models["stock.warehouse"][2] = {{"code", "\"W2\""}, {"lot_stock_id", "[9,\"W2/Stock\"]"}};
    }
    std::int64_t product(const std::string& sku, const std::string& unit = "Units") {
        const auto id = next_id++;
        models["product.product"][id] = {{"default_code", '"' + sku + '"'}, {"uom_id", "[1,\"" + unit + "\"]"}};
        return id;
    }
    std::int64_t quant(std::int64_t of, std::int64_t root, const std::string& quantity, const std::string& at,
                       const std::string& reserved = "0.0", bool owned = false) {
        const auto id = next_id++;
        const auto text = std::to_string(of);
        models["stock.quant"][id] = {{"product_id", "[" + text + ",\"P\"]"},
                                     {"location_id", std::to_string(root)},
                                     {"location_id.usage", "\"internal\""},
                                     {"owner_id", owned ? "[3,\"X\"]" : "false"},
                                     {"quantity", quantity},
                                     {"reserved_quantity", reserved},
                                     {"write_date", '"' + at + '"'}};
        return id;
    }
    void moved(std::int64_t of, const std::string& at) {
        models["stock.move.line"][next_id++] = {
            {"product_id", "[" + std::to_string(of) + ",\"P\"]"}, {"state", "\"done\""}, {"write_date", '"' + at + '"'}};
    }

    core::Result<odoo::Answer> call(const odoo::Call& call, const core::Deadline&) override {
        REQUIRE(call.method == "search_read");
        asked.push_back(call.model);
        contexts.push_back(call.context);
        if (away) {
            return core::fail(core::ErrorKind::transient, "odoo_unavailable", "away");
        }
        if (call.model == denied) {
            return core::fail(core::ErrorKind::unauthorized, "access_denied", "no");
        }
        const auto params = json::Document::parse(call.params);
        REQUIRE(params);
        const auto root = params->root();
        const auto limit = *root.int64_of("limit");
        const bool newest_first = *root.string_of("order") != "id";
        std::vector<std::pair<std::int64_t, const Record*>> found;
        for (const auto& [id, record] : models[call.model]) {
            bool fits = true;
            for (const auto leaf : root.get("domain")->elements()) {
                fits = fits && matches(id, record, leaf);
            }
            if (fits) {
                found.emplace_back(id, &record);
            }
        }
        if (newest_first) {
            std::ranges::sort(
                found, [](const auto& a, const auto& b) { return a.second->at("write_date") > b.second->at("write_date"); });
        }
        std::string body = "[";
        for (std::size_t i = 0; i < found.size() && static_cast<std::int64_t>(i) < limit; ++i) {
            body += (i > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(found[i].first);
            for (const auto field : root.get("fields")->elements()) {
                const std::string name(*field.string());
                body += ",\"" + name + "\":" + found[i].second->at(name);
            }
            body += "}";
        }
        syncline::http::Response response;
        response.status = 200;
        response.headers.add("content-type", "application/json");
        response.body = body + "]";
        return odoo::read_json2(std::move(response));
    }

private:
    static std::string plain(std::string text) {
        if (text.starts_with('[')) {
            text = text.substr(1, text.find(',') - 1);
        }
        return text;
    }
    static std::string text_of(const json::Value& value) {
        if (value.is_string()) {
            return '"' + std::string(*value.string()) + '"';
        }
        return value.is_bool() ? (*value.boolean() ? "true" : "false") : std::string(*value.number_text());
    }
    static bool matches(std::int64_t id, const Record& record, const json::Value& leaf) {
        std::vector<json::Value> parts;
        for (const auto part : leaf.elements()) {
            parts.push_back(part);
        }
        const std::string field(*parts.at(0).string());
        const std::string is(*parts.at(1).string());
        if (field == "company_id") {
            return true;
        }
        const auto value = field == "id" ? std::to_string(id) : plain(record.at(field));
        if (is == "in") {
            for (const auto wanted : parts.at(2).elements()) {
                if (text_of(wanted) == value) {
                    return true;
                }
            }
            return false;
        }
        const auto wanted = text_of(parts.at(2));
        if (is == "=" || is == "child_of") {
            return value == wanted;
        }
        if (is == "!=") {
            return value != wanted;
        }
        if (is == ">") {
            return std::stoll(value) > std::stoll(wanted);
        }
        REQUIRE(is == ">=");
        return value >= wanted;
    }
};

struct Reading : Rig {
    std::shared_ptr<FakeOdoo> erp = std::make_shared<FakeOdoo>();
    KeptReports reports;
    OdooRule rule{.url = "https://erp.example.com"};
    std::unique_ptr<OdooSource> source;
    bool ours = true;

    Reading() { restart(); }
    void restart() {
        source = std::make_unique<OdooSource>(database.pool(), reports, clock, [this](const OdooRule&, const core::Deadline&) {
            return core::Result<std::shared_ptr<odoo::Transport>>(erp);
        });
    }
    core::Result<OdooRead> poll_once(Basis basis = Basis::physical) {
        reports.levels.clear();
        return source->poll("erp", basis, rule, [this] { return ours; });
    }
    OdooRead poll(Basis basis = Basis::physical) {
        clock.advance(61s);
        const auto done = poll_once(basis);
        if (!done) {
            FAIL(done.error().code << " " << done.error().message);
        }
        // What Kafka would bring back.
        std::vector<ArrivedLevel> levels;
        for (const auto& level : reports.levels) {
            levels.push_back({.position = level.position, .basis = level.basis, .unit = level.unit, .level = level.level});
        }
        stock(levels);
        return *done;
    }
    // "SKU@place=quantity", sorted.
    [[nodiscard]] std::vector<std::string> told() const {
        std::vector<std::string> texts;
        for (const auto& level : reports.levels) {
            texts.push_back(level.position.sku + "@" + level.position.place.location + "=" + level.level.quantity.to_string());
        }
        std::ranges::sort(texts);
        return texts;
    }
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("odoo source: the first reading is whole and sums the quants of each place and product", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    rig.rule.companies = {1, 3};
    const auto shirt = rig.erp->product("SHIRT");
    const auto again = rig.erp->product("SHIRT");  // Archived and made anew: both lie on the shelf.
    const auto rope = rig.erp->product("ROPE", "m");
    rig.erp->product("NEVER-THERE");
    rig.erp->quant(shirt, 8, "5.0", "2026-01-01 10:00:00", "2.0");
    rig.erp->quant(shirt, 8, "-1.0", "2026-01-01 10:00:00");
    rig.erp->quant(again, 8, "3.0", "2026-01-01 10:00:01");
    rig.erp->quant(shirt, 8, "100.0", "2026-01-01 10:00:00", "0.0", true);  // Somebody else's.
    rig.erp->quant(shirt, 9, "1.0", "2026-01-01 10:00:00");
    rig.erp->quant(rope, 8, "1.8499999999999996", "2026-01-01 10:00:00");
    const auto done = rig.poll();
    CHECK(done.whole);
    CHECK(rig.told() == Told{"ROPE@WH=1.85", "SHIRT@W2=1", "SHIRT@WH=7"});
    for (const auto& level : rig.reports.levels) {
        CHECK(level.unit == (level.position.sku == "ROPE" ? "m" : ""));
        CHECK(!level.level.snapshot.empty());
        CHECK(level.level.observed == rig.clock.now());
    }
    CHECK(rig.erp->contexts.at(0).find(R"("active_test":false)") != std::string::npos);
    CHECK(rig.erp->contexts.at(0).find(R"("allowed_company_ids":[1,3])") != std::string::npos);
    CHECK(rig.database.value("SELECT rows FROM stock_files WHERE source = 'erp'") == "3");
    rig.database.exec("TRUNCATE source_cursors");
    rig.poll(Basis::net_of_own);
    CHECK(rig.told() == Told{"ROPE@WH=1.85", "SHIRT@W2=1", "SHIRT@WH=5"});
}

TEST_CASE("odoo source: a poll reads what changed, and a quant that is gone is none", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    rig.rule.shrink_refused_below = 0;
    const auto shirt = rig.erp->product("SHIRT");
    const auto mug = rig.erp->product("MUG");
    const auto mugs = rig.erp->quant(mug, 8, "4.0", "2026-01-01 10:00:00");
    rig.erp->quant(shirt, 8, "5.0", "2026-01-01 10:00:00");
    const auto second = rig.erp->quant(shirt, 9, "6.0", "2026-01-01 10:00:00");
    rig.poll();
    CHECK(!rig.poll_once()->due);
    // Within the overlap it is told again: what was shipped meanwhile may count on it.
    CHECK(rig.poll().reported == 3);
    rig.erp->models["stock.quant"][second]["write_date"] = "\"2026-01-01 11:00:00\"";
    rig.erp->models["stock.quant"][second]["quantity"] = "7.0";
    rig.poll();
    rig.poll();
    CHECK(rig.told() == Told{"SHIRT@W2=7", "SHIRT@WH=5"});
    // Deleted because it fell to nothing; its move tells.
    rig.erp->models["stock.quant"].erase(mugs);
    rig.erp->moved(mug, "2026-01-01 12:00:00");
    rig.poll();
    rig.poll();
    CHECK(rig.told() == Told{"MUG@WH=0"});
    // Moves cannot be read: quants are enough until the next whole reading.
    rig.erp->denied = "stock.move.line";
    CHECK(rig.poll().due);
    rig.erp->denied.clear();
    rig.erp->models["stock.move.line"].clear();
    rig.erp->models["stock.quant"].erase(second);
    CHECK(rig.poll().reported == 0);
    rig.clock.advance(24h);
    const auto whole = rig.poll();
    CHECK(whole.whole);
    CHECK(rig.told() == Told{"MUG@WH=0", "SHIRT@W2=0", "SHIRT@WH=5"});
}

TEST_CASE("odoo source: a deleted or renamed product ends with the next whole reading", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    rig.rule.shrink_refused_below = 0;
    const auto shirt = rig.erp->product("SHIRT");
    const auto mug = rig.erp->product("MUG");
    rig.erp->quant(shirt, 8, "5.0", "2026-01-01 10:00:00");
    const auto mugs = rig.erp->quant(mug, 8, "4.0", "2026-01-01 10:00:00");
    rig.poll();
    rig.erp->models["product.product"].erase(mug);
    rig.erp->models["stock.quant"].erase(mugs);
    rig.erp->models["product.product"][shirt]["default_code"] = "\"SHIRT-2\"";
    rig.clock.advance(25h);
    CHECK(rig.poll().whole);
    CHECK(rig.told() == Told{"MUG@WH=0", "SHIRT-2@WH=5", "SHIRT@WH=0"});
    rig.clock.advance(25h);
    rig.poll();
    CHECK(rig.told() == Told{"SHIRT-2@WH=5"});
}

TEST_CASE("odoo source: lost rights empty nothing, and a poll that breaks off is done again", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    for (int i = 0; i < 10; ++i) {
        rig.erp->quant(rig.erp->product("SKU-" + std::to_string(i)), 8, "5.0", "2026-01-01 10:00:00");
    }
    rig.erp->away = true;
    CHECK(rig.poll_once().error().code == "odoo_unavailable");
    rig.erp->away = false;
    rig.reports.broker_away = true;
    rig.clock.advance(61s);
    CHECK(!rig.poll_once());
    rig.reports.broker_away = false;
    rig.ours = false;
    rig.clock.advance(61s);
    CHECK(rig.poll_once().error().code == "lease_lost");
    rig.ours = true;
    CHECK(rig.poll().whole);
    CHECK(rig.reports.levels.size() == 10);
    rig.restart();
    rig.clock.advance(2h);
    const auto kept = rig.erp->models["stock.quant"];
    rig.erp->models["stock.quant"].clear();
    CHECK(rig.poll_once().error().code == "file_shrunken");
    CHECK(rig.reports.levels.empty());
    // Meanwhile changes are read on.
    CHECK(!rig.poll().whole);
    rig.erp->models["stock.quant"] = kept;
    rig.clock.advance(24h);
    CHECK(rig.poll().whole);
    CHECK(rig.reports.levels.size() == 10);
}

TEST_CASE("odoo source: what was shipped after its level was seen is read again", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    rig.erp->quant(rig.erp->product("SHIRT"), 8, "5.0", "2026-01-01 10:00:00");
    rig.erp->quant(rig.erp->product("MUG"), 8, "5.0", "2026-01-01 11:00:00");
    rig.poll();
    rig.poll();
    CHECK(rig.told() == Told{"MUG@WH=5"});
    rig.clock.advance(10s);
    rig.rules->shops["eu"].locations = {{.location = 1, .from = {{"erp", "WH"}}}};
    rig.orders({{.key = {.shop = "eu", .order = 5},
                 .version = {.updated_ns = 1},
                 .placed = rig.clock.now(),
                 .lines = {{.line = 50, .sku = "SHIRT", .open = 0, .ordered = 2}},
                 .fulfillments = {{.id = 50,
                                   .location = 1,
                                   .at = rig.clock.now(),
                                   .lines = {{.line = 50, .sku = "SHIRT", .quantity = 2}},
                                   .in_order = true}}}});
    rig.poll();
    CHECK(rig.told() == Told{"MUG@WH=5", "SHIRT@WH=5"});
    rig.poll();
    CHECK(rig.told() == Told{"MUG@WH=5"});
}

TEST_CASE("odoo source: products of one SKU in different units are not told of", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Reading rig;
    rig.rule.locations = {{"SHOP", 9}};
    rig.erp->quant(rig.erp->product("ROPE", "m"), 9, "5.0", "2026-01-01 10:00:00");
    rig.erp->quant(rig.erp->product("ROPE", "Units"), 9, "5.0", "2026-01-01 10:00:00");
    rig.erp->quant(rig.erp->product("MUG"), 9, "5.0", "2026-01-01 10:00:00");
    rig.erp->quant(rig.erp->product("CUP"), 8, "5.0", "2026-01-01 10:00:00");
    rig.poll();
    CHECK(rig.told() == Told{"MUG@SHOP=5"});
}
