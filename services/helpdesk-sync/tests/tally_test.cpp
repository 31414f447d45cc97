#include "domain/tally.h"

#include <catch2/catch_test_macros.hpp>

using namespace helpdesk_sync;
using namespace std::chrono_literals;

TEST_CASE("helpdesk-sync: a new document counts for the day it came on, in UTC", "[helpdesk-sync][unit]") {
    const Export exported{
        .shop = core::ShopAlias("eu"), .connection = "odoo-main", .created = true, .at = core::SystemTime{1'763'769'599s}};
    CHECK(tally_of(exported) == Tally{.shop = core::ShopAlias("eu"), .connection = "odoo-main", .day = "2025-11-21"});
    auto later = exported;
    later.at += 1s;
    CHECK(tally_of(later)->day == "2025-11-22");
}

TEST_CASE("helpdesk-sync: a document that was there before counts nothing", "[helpdesk-sync][unit]") {
    CHECK_FALSE(tally_of({.shop = core::ShopAlias("eu"), .connection = "odoo-main", .created = false, .at = {}}));
}
