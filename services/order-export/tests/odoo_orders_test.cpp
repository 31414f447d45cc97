#include "adapters/odoo_orders.h"

#include <syncline/telemetry/metrics.h>
#include <catch2/catch_test_macros.hpp>
#include <mutex>

#include "adapters/odoo_credit_notes.h"
#include "adapters/odoo_fields.h"
#include "adapters/odoo_parties.h"
#include "adapters/odoo_products.h"
#include "tests/fakes.h"

using namespace order_export;
using namespace order_export::testing;
namespace json = syncline::json;

namespace {

// Answers by "model.method"; remembers what was asked.
class ScriptedOdoo final : public odoo::Transport {
public:
    std::map<std::string, std::string> answers{
        {"sale.order.line.fields_get", R"({"tax_ids":{"type":"many2many"}})"},
        {"sale.order.fields_get", R"({"locked":{"type":"boolean"},"warehouse_id":{"type":"many2one"}})"},
        {"res.company.search_read", R"([{"id":1,"tax_calculation_rounding_method":"round_globally"}])"},
        {"sale.order.load", R"({"ids":[1855],"messages":[],"nextrow":0})"},
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
            response.body = answers.contains(name) ? answers.at(name) : "true";
        }
        return odoo::read_json2(std::move(response));
    }
    const odoo::Call& last(std::string_view method) {
        const auto found = std::find_if(calls.rbegin(), calls.rend(), [&](const odoo::Call& c) { return c.method == method; });
        REQUIRE(found != calls.rend());
        return *found;
    }
    std::map<std::string, std::string> row(std::string_view method, std::size_t index) {
        const auto params = json::Document::parse(last(method).params).value();
        std::vector<std::string> columns;
        for (const auto column : params.root().get("fields")->elements()) {
            columns.emplace_back(column.string().value());
        }
        std::map<std::string, std::string> cells;
        std::size_t at = 0;
        for (const auto line : params.root().get("data")->elements()) {
            if (at++ == index) {
                std::size_t column = 0;
                for (const auto cell : line.elements()) {
                    cells[columns.at(column++)] = cell.string().value();
                }
            }
        }
        return cells;
    }

private:
    std::mutex mutex_;
};

struct Rig {
    syncline::telemetry::Metrics metrics{"test"};
    std::shared_ptr<ScriptedOdoo> server = std::make_shared<ScriptedOdoo>();
    odoo::Gateway gateway{server, {.major = 19, .text = "19.0"}, {.linger = 0ms}, core::system_clock(), metrics};
    OdooExternalIds external_ids{gateway};
    OdooOrders orders{gateway, external_ids, core::system_clock()};
    OdooCreditNotes notes{gateway, core::system_clock()};
    OdooParties parties{gateway, external_ids, core::system_clock()};
    OdooProducts products{gateway, core::system_clock(), 100};
    kit::Lease lease{core::system_clock(), core::system_clock().steady() + 30s};
    core::Deadline deadline{core::system_clock(), 30s};
    ErpContacts contacts{.contact = "7", .invoice = "8", .delivery = "9"};
    SalesDocument document = plan_order(an_order(), some_rules(), "c").value();
};

}  // namespace

TEST_CASE("odoo orders: an order is loaded once with every line under an id of its own", "[order-export][unit]") {
    Rig rig;
    CHECK(rig.orders.create_once(rig.document, rig.contacts, rig.lease).value() == "1855");
    const auto first = rig.server->row("load", 0);
    CHECK(first.at("id") == "syncline.eu_order_5001");
    CHECK(first.at("partner_id/.id") == "7");
    CHECK(first.at("partner_invoice_id/.id") == "8");
    CHECK(first.at("partner_shipping_id/.id") == "9");
    CHECK(first.at("date_order") == "2025-10-09 08:53:10");
    CHECK(first.at("origin") == rig.document.stamp());
    CHECK(first.at("order_line/id") == "syncline.eu_order_5001_line_91");
    CHECK(first.at("order_line/product_uom_qty") == "2");
    CHECK(first.at("order_line/tax_ids/.id") == "120");
    // An empty cell is an explicit empty: without a warehouse there is no column.
    CHECK(!first.contains("warehouse_id/.id"));
    const auto second = rig.server->row("load", 1);
    CHECK(second.at("id").empty());
    CHECK(second.at("partner_id/.id").empty());
    CHECK(second.at("order_line/id") == "syncline.eu_order_5001_shipping_5");
    CHECK(!second.at("order_line/name").empty());
    CHECK(rig.server->last("load").context.find(R"("mode":"update","noupdate":true)") != std::string::npos);
}

TEST_CASE("odoo orders: field names follow what the server says about itself", "[order-export][unit]") {
    Rig rig;
    rig.server->answers["sale.order.line.fields_get"] = R"({"tax_id":{"type":"many2many"}})";
    rig.document.warehouse = "4";
    static_cast<void>(rig.orders.create_once(rig.document, rig.contacts, rig.lease));
    CHECK(rig.server->row("load", 0).contains("order_line/tax_id/.id"));
    CHECK(rig.server->row("load", 0).at("warehouse_id/.id") == "4");
}

TEST_CASE("odoo orders: a document is read with total, currency, state and progress", "[order-export][unit]") {
    Rig rig;
    rig.server->answers["sale.order.read"] =
        R"([{"id":1855,"name":"S00042","state":"sale","origin":"x","amount_total":30.000000000000004,"currency_id":[1,"EUR"],"locked":false,"order_line":[1,2]}])";
    rig.server->answers["sale.order.line.read"] =
        R"([{"id":1,"qty_delivered":0.0,"qty_invoiced":0.0},{"id":2,"qty_delivered":1.0,"qty_invoiced":0.0}])";
    const auto document = rig.orders.read("1855", {}, true, rig.deadline).value();
    REQUIRE(document);
    CHECK(document->name == "S00042");
    CHECK(document->state == DocumentState::confirmed);
    CHECK(document->total == core::Money{.amount = dec("30"), .currency = "EUR"});
    CHECK(document->delivered);
    CHECK(!document->invoiced);
    rig.server->answers["sale.order.read"] = "[]";
    CHECK(rig.orders.read("1855", {}, false, rig.deadline).value() == std::nullopt);
}

TEST_CASE("odoo orders: a change writes what changed, loads what is new and takes away what is gone", "[order-export][unit]") {
    Rig rig;
    rig.server->answers["sale.order.read"] = R"([{"id":1855,"state":"draft","order_line":[1,2,3,4]}])";
    rig.server->answers["sale.order.line.get_external_id"] =
        R"({"1":"syncline.eu_order_5001_line_91","2":"syncline.eu_order_5001_line_90","3":"","4":"syncline.eu_order_50011_line_1"})";
    rig.server->answers["sale.order.line.load"] = R"({"ids":[5],"messages":[]})";
    const std::vector<KnownLine> known{{.key = "line_91", .product = "501", .name = {}, .taxes = {}, .hash = "other"},
                                       {.key = "line_90", .product = {}, .name = {}, .taxes = {}, .hash = "gone"}};
    REQUIRE(rig.orders.change("1855", rig.document, rig.contacts, known, rig.document.header_hash, rig.lease));
    // The shipping line is new; a line made by hand and a line of another order are left alone.
    CHECK(rig.server->row("load", 0).at("id") == "syncline.eu_order_5001_shipping_5");
    CHECK(rig.server->row("load", 0).at("order_id/.id") == "1855");
    const auto written = rig.server->last("write").params;
    CHECK(
        written.find(R"([1,1,{"name":"Shirt","product_uom_qty":2,"price_unit":10,"tax_ids":[[6,0,[120]]],"product_id":501}])") !=
        std::string::npos);
    CHECK(written.find("[2,2,0]") != std::string::npos);
    CHECK(written.find("[2,3") == std::string::npos);
    CHECK(written.find("[2,4") == std::string::npos);
    CHECK(written.find("partner_id") == std::string::npos);
    CHECK(written.find(rig.document.stamp()) != std::string::npos);
}

TEST_CASE("odoo orders: a line of a confirmed order is emptied, not deleted, and keeps its product", "[order-export][unit]") {
    Rig rig;
    rig.server->answers["sale.order.read"] = R"([{"id":1855,"state":"sale","order_line":[1,2,3]}])";
    rig.server->answers["sale.order.line.get_external_id"] =
        R"({"1":"syncline.eu_order_5001_line_91","2":"syncline.eu_order_5001_line_90","3":"syncline.eu_order_5001_shipping_5"})";
    REQUIRE(rig.orders.change("1855", rig.document, rig.contacts, {}, "", rig.lease));
    const auto written = rig.server->last("write").params;
    CHECK(written.find(R"([1,2,{"product_uom_qty":0}])") != std::string::npos);
    CHECK(written.find("product_id") == std::string::npos);
    CHECK(written.find("pricelist_id") == std::string::npos);
    rig.server->errors["sale.order.write"] = {
        422, R"({"name":"odoo.exceptions.UserError","message":"It is forbidden to modify a locked order."})"};
    CHECK(rig.orders.change("1855", rig.document, rig.contacts, {}, "", rig.lease).error().kind == ErrorKind::needs_decision);
}

TEST_CASE("odoo orders: confirming restores the date that it overwrites", "[order-export][unit]") {
    Rig rig;
    REQUIRE(rig.orders.confirm("1855", {}, core::SystemTime{1'760'000'000s}, rig.lease));
    CHECK(rig.server->last("action_confirm").ids == std::vector<std::int64_t>{1855});
    CHECK(rig.server->last("write").params == R"({"vals":{"date_order":"2025-10-09 08:53:20"}})");
}

TEST_CASE("odoo credit notes: a credit note names its order, links the posted invoice and never order lines",
          "[order-export][unit]") {
    Rig rig;
    rig.server->answers["sale.order.read"] =
        R"([{"id":1855,"name":"S00042","partner_invoice_id":[8,"x"],"currency_id":[1,"EUR"],"invoice_ids":[3,4]}])";
    rig.server->answers["account.move.read"] =
        R"([{"id":3,"state":"draft","move_type":"out_invoice"},{"id":4,"state":"posted","move_type":"out_invoice"}])";
    rig.server->answers["account.move.load"] = R"({"ids":[60],"messages":[]})";
    CreditNote note{.order = an_order().key,
                    .refund = core::RefundId(77),
                    .reference = "Refund 77 of #1001",
                    .order_name = "#1001",
                    .date = core::SystemTime{1'760'000'000s},
                    .lines = {},
                    .expected_total = {},
                    .allowance = {},
                    .company = {},
                    .journal = "5"};
    note.lines.push_back({.key = "line_1",
                          .product = "501",
                          .sku = {},
                          .name = "Shirt",
                          .quantity = dec("1"),
                          .unit_price = dec("10"),
                          .taxes = {"120"},
                          .note = false,
                          .hash = {}});
    CHECK(rig.notes.create_once(note, "1855", rig.lease).value() == "60");
    const auto row = rig.server->row("load", 0);
    CHECK(row.at("id") == "syncline.eu_refund_77");
    CHECK(row.at("move_type") == "out_refund");
    CHECK(row.at("reversed_entry_id/.id") == "4");
    CHECK(row.at("journal_id/.id") == "5");
    CHECK(row.at("invoice_origin") == "S00042");
    CHECK(row.at("invoice_line_ids/price_unit") == "10");
    CHECK(!row.contains("invoice_line_ids/sale_line_ids/id"));
}

TEST_CASE("odoo parties: a contact is looked for by external id, then by e-mail", "[order-export][unit]") {
    Rig rig;
    const auto plan = plan_contacts(an_order(), some_rules(), "k");
    rig.server->answers["ir.model.data.search_read"] = "[]";
    rig.server->answers["res.partner.search_read"] = R"([{"id":42,"email_normalized":"ann@example.com"}])";
    CHECK(rig.parties.find(plan, rig.deadline).value() == "42");
    rig.server->answers["ir.model.data.search_read"] = R"([{"id":1,"name":"eu_customer_77","res_id":41}])";
    CHECK(rig.parties.find(plan, rig.deadline).value() == "41");
}

TEST_CASE("odoo parties: a user who may not read external ids asks for them one by one", "[order-export][unit]") {
    Rig rig;
    const auto plan = plan_contacts(an_order(), some_rules(), "k");
    rig.server->errors["ir.model.data.search_read"] = {403, R"({"name":"odoo.exceptions.AccessError","message":"no"})"};
    rig.server->answers["ir.model.data.check_object_reference"] = R"(["res.partner",41])";
    CHECK(rig.parties.find(plan, rig.deadline).value() == "41");
    rig.server->errors["ir.model.data.check_object_reference"] = {
        500, R"({"name":"builtins.ValueError","message":"External ID not found in the system"})"};
    rig.server->answers["res.partner.search_read"] = "[]";
    CHECK(rig.parties.find(plan, rig.deadline).value() == std::nullopt);
}

TEST_CASE("odoo parties: a contact and its addresses are one load, parent first", "[order-export][unit]") {
    Rig rig;
    const auto plan = plan_contacts(an_order(), some_rules(), "k");
    rig.server->answers["res.partner.load"] = R"({"ids":[7,8,9],"messages":[]})";
    const auto made = rig.parties.create_once(plan, std::nullopt, rig.lease).value();
    CHECK(made.contact == "7");
    CHECK(made.invoice == "8");
    CHECK(made.delivery == "9");
    CHECK(rig.server->row("load", 0).at("parent_id/id").empty());
    CHECK(rig.server->row("load", 1).at("parent_id/id") == "syncline.eu_customer_77");
    CHECK(rig.server->row("load", 1).at("type") == "invoice");
    CHECK(rig.server->row("load", 2).at("country_id") == "FR");
    // Below a contact that was there before, by its id.
    rig.server->answers["res.partner.load"] = R"({"ids":[8,9],"messages":[]})";
    CHECK(rig.parties.create_once(plan, TargetId("42"), rig.lease).value().contact == "42");
    CHECK(rig.server->row("load", 0).at("parent_id/.id") == "42");
}

TEST_CASE("odoo products: a known SKU costs no second call, an ambiguous one is a decision", "[order-export][unit]") {
    Rig rig;
    rig.server->answers["product.product.search_read"] = R"([{"id":5,"default_code":"A"}])";
    CHECK(rig.products.find({core::Sku("A")}, {}, rig.deadline).value().at(core::Sku("A")) == "5");
    static_cast<void>(rig.products.find({core::Sku("A")}, {}, rig.deadline));
    CHECK(std::ranges::count_if(rig.server->calls, [](const auto& c) { return c.model == "product.product"; }) == 1);
    rig.server->answers["product.product.search_read"] = R"([{"id":6,"default_code":"B"},{"id":7,"default_code":"B"}])";
    CHECK(rig.products.find({core::Sku("B")}, {}, rig.deadline).error().code == "product_ambiguous");
    rig.server->answers["product.product.search_read"] = "[]";
    CHECK(rig.products.find({core::Sku("C")}, {}, rig.deadline).value().empty());
}
