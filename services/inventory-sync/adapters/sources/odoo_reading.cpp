#include "adapters/sources/odoo_reading.h"

#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/log.h>
#include <algorithm>

namespace inventory_sync {
namespace {

namespace json = syncline::json;
namespace odoo = syncline::odoo;
namespace log = syncline::telemetry::log;
using core::ErrorKind;
using syncline::postgres::Params;

constexpr std::chrono::seconds kTimeout{15};
constexpr std::chrono::seconds kCallTimeout{60};
constexpr std::chrono::hours kShippedWithin{48};
constexpr std::size_t kRowsAtOnce = 2'000;
constexpr std::size_t kSkusAtOnce = 250;
constexpr std::size_t kShippedAtOnce = 500;
constexpr std::size_t kSkusMax = 2'000'000;
constexpr int kPlacesOfQuantity = 6;

std::int64_t id_of(const json::Value& row) {
    return row.int64_of("id").value_or(0);
}

core::Result<odoo::Reference> reference_in(const json::Value& row, std::string_view name) {
    const auto member = row.get(name);
    const auto reference = member ? odoo::reference(*member) : core::Result<std::optional<odoo::Reference>>(std::nullopt);
    if (!reference || !*reference) {
        return core::fail(ErrorKind::malformed, "reply_unexpected", "Odoo's answer lacks " + std::string(name));
    }
    return **reference;
}

void id_list(json::Writer& out, const std::vector<std::int64_t>& ids) {
    out.begin_array();
    for (const auto id : ids) {
        out.integer(id);
    }
    out.end_array();
}

// "2026-11-20 08:15:30" less so much, in the same form.
std::string earlier(std::string time, std::chrono::milliseconds by) {
    if (time.size() != 19) {
        return time;
    }
    time[10] = 'T';
    const auto parsed = core::parse_rfc3339(time + "Z");
    if (!parsed) {
        return "1970-01-01 00:00:00";
    }
    auto text = core::format_rfc3339_utc(std::chrono::floor<std::chrono::seconds>(*parsed - by));
    text.resize(19);
    text[10] = ' ';
    return text;
}

// Rights or a module that this Odoo does not grant: asking again changes nothing.
bool is_for_good(const core::Error& error) {
    return error.kind == ErrorKind::rejected || error.kind == ErrorKind::unauthorized || error.kind == ErrorKind::malformed;
}

}  // namespace

core::Result<void> OdooReading::changed(const std::string& since) {
    cursor = since;
    if (auto found = find_places(); !found) {
        return found;
    }
    std::set<std::int64_t> products;
    const auto from = earlier(since, of_.rule.overlap);
    const auto take = [&](const json::Value& row) -> core::Result<void> {
        const auto product = reference_in(row, "product_id");
        if (!product) {
            return std::unexpected(product.error());
        }
        products.insert(product->id);
        see(odoo::text(row.get("write_date")));
        return {};
    };
    auto done = each("stock.quant", R"(["location_id.usage","=","internal"],["write_date",">=",")" + from + "\"]",
                     {"product_id", "write_date"}, take);
    if (!done) {
        return done;
    }
    // A quant that fell to nothing is deleted: what moved tells of it.
    done = each("stock.move.line", R"(["state","=","done"],["write_date",">=",")" + from + "\"]", {"product_id", "write_date"},
                take);
    if (!done && !is_for_good(done.error())) {
        return done;
    }
    if (!done) {
        moves_unreadable = std::move(done.error());
    }
    std::set<std::string> skus;
    if (auto named = name_products({products.begin(), products.end()}, skus); !named) {
        return named;
    }
    if (auto shipped = add_shipped(skus); !shipped) {
        return shipped;
    }
    return collect({skus.begin(), skus.end()});
}

core::Result<void> OdooReading::whole() {
    if (auto found = find_places(); !found) {
        return found;
    }
    // Before anything is read: what changes from now on is read again.
    for (const auto* model : {"stock.quant", "stock.move.line"}) {
        const auto newest = ask(model, "[]", {"write_date"}, "write_date desc, id desc", 1);
        if (newest) {
            for (const auto row : newest->value()->elements()) {
                see(odoo::text(row.get("write_date")));
            }
        } else if (!is_for_good(newest.error()) || std::string_view(model) == "stock.quant") {
            return std::unexpected(newest.error());
        }
    }
    std::unordered_set<std::string> seen;
    std::vector<std::string> gathered;
    const auto flush = [&]() -> core::Result<void> {
        auto done = collect(gathered);
        gathered.clear();
        return done;
    };
    auto done = each("product.product", R"(["default_code","!=",false])", {"default_code"}, [&](const json::Value& row) {
        auto sku = odoo::text(row.get("default_code"));
        if (sku.empty() || !seen.insert(sku).second) {
            return core::Result<void>{};
        }
        if (seen.size() > kSkusMax) {
            return core::Result<void>(core::fail(ErrorKind::rejected, "odoo_too_large", "Odoo has more than two million SKUs"));
        }
        gathered.push_back(std::move(sku));
        return gathered.size() == kSkusAtOnce ? flush() : core::Result<void>{};
    });
    if (done) {
        done = flush();
    }
    return done ? add_gone(seen) : done;
}

std::string OdooReading::context() const {
    json::Writer out;
    // Without active_test archived products and locations would be left out. Names of units in one language.
    out.begin_object().member("lang", "en_US").member("tz", "UTC").member("active_test", false);
    if (!of_.rule.companies.empty()) {
        out.key("allowed_company_ids");
        id_list(out, of_.rule.companies);
    }
    out.end_object();
    return std::move(out).take();
}

core::Result<odoo::Answer> OdooReading::ask(const std::string& model, const std::string& domain,
                                            const std::vector<std::string>& fields, const std::string& order, std::size_t limit) {
    if (!of_.ours()) {
        return core::fail(ErrorKind::transient, "lease_lost", "another instance reads this source now");
    }
    json::Writer params;
    params.begin_object().key("domain").raw(domain).key("fields").begin_array();
    for (const auto& field : fields) {
        params.string(field);
    }
    params.end_array().member("order", order).member("limit", static_cast<std::int64_t>(limit)).end_object();
    auto answer =
        of_.transport.call({.model = model, .method = "search_read", .params = std::move(params).take(), .context = context()},
                           core::Deadline(of_.clock, kCallTimeout));
    if (answer && (!answer->value() || !answer->value()->is_array())) {
        return core::fail(ErrorKind::transient, "reply_unexpected", "Odoo answered a search without a list");
    }
    return answer;
}

core::Result<void> OdooReading::each(const std::string& model, const std::string& leaves, const std::vector<std::string>& fields,
                                     const std::function<core::Result<void>(const json::Value&)>& take) {
    std::int64_t last = 0;
    for (;;) {
        const auto domain = "[" + leaves + (leaves.empty() ? "" : ",") + R"(["id",">",)" + std::to_string(last) + "]]";
        const auto answer = ask(model, domain, fields, "id", kRowsAtOnce);
        if (!answer) {
            return std::unexpected(answer.error());
        }
        std::size_t count = 0;
        for (const auto row : answer->value()->elements()) {
            const auto id = id_of(row);
            if (id <= last) {
                return core::fail(ErrorKind::transient, "reply_unexpected", "Odoo's answer is not in the order asked for");
            }
            last = id;
            ++count;
            if (auto done = take(row); !done) {
                return done;
            }
        }
        if (count < kRowsAtOnce) {
            return {};
        }
    }
}

core::Result<void> OdooReading::find_places() {
    for (const auto& [place, root] : of_.rule.locations) {
        places.emplace_back(place, root);
    }
    if (!places.empty()) {
        return {};
    }
    std::string companies;
    if (!of_.rule.companies.empty()) {
        json::Writer out;
        out.begin_array().string("company_id").string("in");
        id_list(out, of_.rule.companies);
        companies = std::move(out.end_array()).take();
    }
    auto done = each("stock.warehouse", companies, {"code", "lot_stock_id"}, [&](const json::Value& row) -> core::Result<void> {
        const auto root = reference_in(row, "lot_stock_id");
        auto code = odoo::text(row.get("code"));
        if (!root) {
            return std::unexpected(root.error());
        }
        if (!code.empty()) {
            places.emplace_back(std::move(code), root->id);
        }
        return {};
    });
    if (done && places.empty()) {
        return core::fail(ErrorKind::rejected, "odoo_no_warehouse", "this user sees no warehouse in Odoo",
                          "check its rights and odoo.companies");
    }
    return done;
}

core::Result<void> OdooReading::name_products(const std::vector<std::int64_t>& ids, std::set<std::string>& skus) {
    for (std::size_t at = 0; at < ids.size(); at += kRowsAtOnce) {
        json::Writer leaf;
        leaf.begin_array().string("id").string("in");
        id_list(leaf, {ids.begin() + static_cast<std::ptrdiff_t>(at),
                       ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), at + kRowsAtOnce))});
        leaf.end_array();
        auto done = each("product.product", std::move(leaf).take(), {"default_code"}, [&](const json::Value& row) {
            if (auto sku = odoo::text(row.get("default_code")); !sku.empty()) {
                skus.insert(std::move(sku));
            }
            return core::Result<void>{};
        });
        if (!done) {
            return done;
        }
    }
    return {};
}

core::Result<void> OdooReading::add_shipped(std::set<std::string>& skus) {
    const auto rows_found = of_.pool.exec(
        core::Deadline(of_.clock, kTimeout), R"sql(
SELECT DISTINCT s.sku FROM shipments s JOIN positions p ON p.sku = s.sku AND p.source = $1
WHERE s.shipped_ns > $2 AND p.observed_ns < s.shipped_ns LIMIT $3)sql",
        Params{}.add(of_.source).add(core::nanos_since_epoch(of_.clock.now() - kShippedWithin)).add(kShippedAtOnce));
    if (!rows_found) {
        return std::unexpected(rows_found.error());
    }
    for (const auto row : *rows_found) {
        skus.insert(row.string(0));
    }
    return {};
}

core::Result<void> OdooReading::collect(const std::vector<std::string>& skus) {
    for (std::size_t at = 0; at < skus.size(); at += kSkusAtOnce) {
        auto done = collect_some({skus.begin() + static_cast<std::ptrdiff_t>(at),
                                  skus.begin() + static_cast<std::ptrdiff_t>(std::min(skus.size(), at + kSkusAtOnce))});
        if (!done) {
            return done;
        }
    }
    return {};
}

core::Result<void> OdooReading::collect_some(const std::vector<std::string>& skus) {
    const auto observed = of_.clock.now();
    std::map<std::int64_t, std::string> products;  // To their SKU.
    std::map<std::string, std::string> units;
    std::set<std::string> unclear;
    json::Writer codes;
    codes.begin_array().string("default_code").string("in").begin_array();
    for (const auto& sku : skus) {
        codes.string(sku);
    }
    codes.end_array().end_array();
    auto done = each("product.product", std::move(codes).take(), {"default_code", "uom_id"},
                     [&](const json::Value& row) -> core::Result<void> {
                         const auto unit = reference_in(row, "uom_id");
                         if (!unit) {
                             return std::unexpected(unit.error());
                         }
                         auto sku = odoo::text(row.get("default_code"));
                         auto name = unit->name == "Units" || unit->name == "Unit(s)" ? std::string{} : unit->name;
                         const auto [of_sku, first] = units.try_emplace(sku, name);
                         if (!first && of_sku->second != name) {
                             unclear.insert(sku);
                         }
                         products.emplace(id_of(row), std::move(sku));
                         return {};
                     });
    if (!done) {
        return done;
    }
    json::Writer product_ids;
    product_ids.begin_array().string("product_id").string("in").begin_array();
    for (const auto& [id, sku] : products) {
        product_ids.integer(id);
    }
    product_ids.end_array().end_array();
    const auto of_products = std::move(product_ids).take();
    Sums sums;
    for (std::size_t place = 0; place < places.size() && !products.empty(); ++place) {
        const auto leaves = of_products + R"(,["location_id","child_of",)" + std::to_string(places[place].second) +
                            R"(],["location_id.usage","=","internal"],["owner_id","=",false])";
        done = each("stock.quant", leaves, {"product_id", "quantity", "reserved_quantity"},
                    [&](const json::Value& row) { return add_quant(row, products, place, sums); });
        if (!done) {
            return done;
        }
    }
    rows += sums.size();
    if (auto zeroed = add_vanished(skus, sums); !zeroed) {
        return zeroed;
    }
    for (const auto& [key, quantity] : sums) {
        if (unclear.contains(key.first)) {
            log::write(log::Level::warn, "odoo_units_differ", {{"source", of_.source}, {"sku", key.first}});
            continue;
        }
        levels.push_back(
            {.sku = key.first, .place = key.second, .quantity = quantity, .unit = units[key.first], .observed = observed});
    }
    return {};
}

core::Result<void> OdooReading::add_quant(const json::Value& row, const std::map<std::int64_t, std::string>& products,
                                          std::size_t place, Sums& sums) const {
    const auto product = reference_in(row, "product_id");
    const auto quantity = row.get("quantity");
    const auto reserved = row.get("reserved_quantity");
    if (!product || !quantity || !reserved) {
        return core::fail(ErrorKind::malformed, "reply_unexpected", "a quant lacks product or quantity");
    }
    const auto sku = products.find(product->id);
    const auto lies = odoo::amount(*quantity, kPlacesOfQuantity);
    const auto taken = odoo::amount(*reserved, kPlacesOfQuantity);
    if (sku == products.end() || !lies || !taken) {
        return core::fail(ErrorKind::malformed, "reply_unexpected", "a quant's product or quantity cannot be read");
    }
    auto& sum = sums[{sku->second, place}];
    auto total = sum + *lies;
    if (total && of_.basis != Basis::physical) {
        total = *total - *taken;
    }
    if (!total) {
        return std::unexpected(total.error());
    }
    sum = *total;
    return {};
}

core::Result<void> OdooReading::add_vanished(const std::vector<std::string>& skus, Sums& sums) {
    const auto told = of_.pool.exec(core::Deadline(of_.clock, kTimeout),
                                    "SELECT sku, location FROM positions WHERE source = $1 AND sku = ANY ($2::text[])",
                                    Params{}.add(of_.source).add_array(skus));
    if (!told) {
        return std::unexpected(told.error());
    }
    for (const auto row : *told) {
        const auto place = std::ranges::find(places, row.string(1), &std::pair<std::string, std::int64_t>::first);
        if (place != places.end()) {
            sums.try_emplace({row.string(0), static_cast<std::size_t>(place - places.begin())}, Decimal{});
        }
    }
    return {};
}

core::Result<void> OdooReading::add_gone(const std::unordered_set<std::string>& seen) {
    const auto observed = of_.clock.now();
    std::string last;
    std::string last_place;
    for (;;) {
        const auto told = of_.pool.exec(core::Deadline(of_.clock, kTimeout), R"sql(
SELECT sku, location, unit FROM positions WHERE source = $1 AND (sku, location) > ($2, $3) AND level IS DISTINCT FROM 0
ORDER BY sku, location LIMIT $4)sql",
                                        Params{}.add(of_.source).add(last).add(last_place).add(kRowsAtOnce));
        if (!told) {
            return std::unexpected(told.error());
        }
        for (const auto row : *told) {
            last = row.string(0);
            last_place = row.string(1);
            const auto place = std::ranges::find(places, last_place, &std::pair<std::string, std::int64_t>::first);
            if (!seen.contains(last) && place != places.end()) {
                levels.push_back({.sku = last,
                                  .place = static_cast<std::size_t>(place - places.begin()),
                                  .quantity = {},
                                  .unit = row.string(2),
                                  .observed = observed});
            }
        }
        if (told->size() < kRowsAtOnce) {
            return {};
        }
    }
}

}  // namespace inventory_sync
