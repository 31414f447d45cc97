// Events as bytes, through the handlers, into rows.
#include <syncline/reconciliation/v1/events.pb.h>

#include "adapters/batch_handlers.h"
#include "adapters/corrections.h"
#include "tests/sending_rig.h"

using namespace inventory_sync;
using namespace inventory_sync::testing;
using syncline::postgres::testing::Database;
namespace kit = syncline::kit;

namespace {

struct Handling : ShownRig {
    BatchHandlers handlers{clock, metrics, [this] {
                               return CurrentRules{.rules = rules, .version = version};
                           }};
    Corrections corrections{clock, metrics};

    Handling() : ShownRig(2) {}
    template <typename Event>
    std::size_t apply(const kit::BatchHandler& handler, const Event& event) {
        const auto value = event.SerializeAsString();
        kit::BatchRecord record{.headers = {}, .value = value};
        record.headers.type = Event::descriptor()->full_name();
        REQUIRE(std::ranges::find(handler.types, record.headers.type) != handler.types.end());
        std::size_t bad = 0;
        in_transaction([&](Transaction& tx) -> core::Result<void> {
            const auto done = handler.apply(std::span(&record, 1), tx);
            if (!done) {
                return std::unexpected(done.error());
            }
            bad = done->bad.size();
            return {};
        });
        return bad;
    }
};

}  // namespace

TEST_CASE("handlers: a location's webhook, a deleted order and a correction reach their rows", "[inventory-sync][postgres]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Handling rig;
    inventory_v1::LocationChanged location;
    location.set_shop("eu");
    location.set_location_id(1);
    location.set_name("Berlin");
    location.set_active(false);
    location.mutable_source_updated_at()->set_seconds(1'800'000'000);
    CHECK(rig.apply(rig.handlers.inventory("g"), location) == 0);
    CHECK(rig.database.value("SELECT name || active FROM locations") == "Berlinfalse");
    CHECK(rig.database.value("SELECT count(*) FROM location_checks") == "1");

    rig.orders({rig.order(5, "SKU-1000", 3, 3)});
    orders_v1::OrderDeleted deleted;
    deleted.set_shop("eu");
    deleted.set_order_id(5);
    CHECK(rig.apply(rig.handlers.orders("g"), deleted) == 0);
    CHECK(rig.database.value("SELECT sum(quantity) FROM reservations") == "3");
    deleted.set_confirmed(true);
    CHECK(rig.apply(rig.handlers.orders("g"), deleted) == 0);
    CHECK(rig.database.value("SELECT count(*) FROM reservations") == "0");

    rig.database.exec("UPDATE pairs SET look = false");
    syncline::reconciliation::v1::StockDivergenceDetected found;
    found.set_shop("eu");
    found.set_sku("SKU-1001");
    found.set_inventory_item_id(1001);
    found.set_location_id(1);
    found.set_healing(syncline::reconciliation::v1::HEALING_PROPOSED);
    CHECK(rig.apply(rig.corrections.handler("g"), found) == 0);
    CHECK(rig.column("look", 1001) == "false");
    found.set_healing(syncline::reconciliation::v1::HEALING_CORRECTED);
    CHECK(rig.apply(rig.corrections.handler("g"), found) == 0);
    CHECK(rig.column("look", 1001) == "true");
    CHECK(rig.column("look", 1000) == "false");
}
