#include <syncline/core/time.h>
#include <syncline/shopify/token.h>
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "tests/rig.h"

using namespace syncline;
using namespace syncline::shopify;
using namespace syncline::shopify::testing;
using core::ErrorKind;

namespace {

constexpr const char* kNoLocations = R"({"locations":{"nodes":[],"pageInfo":{"hasNextPage":false,"endCursor":null}}})";
constexpr const char* kCredentials = "client_credentials: {client_id: app-1, client_secret_file: secret}";
constexpr const char* kExpiring = "expiring: {client_id: app-1, client_secret_file: secret, store: tokens.json}";
constexpr const char* kDoor = "/admin/oauth/access_token";

core::Result<Reply> ask(Rig& rig, Admin& admin) {
    return admin.call(kLocations, {}, Priority::rest, rig.deadline);
}
core::Result<Reply> ask(Rig& rig) {
    return ask(rig, rig.admin());
}

// Shopify's two doors: one grants tokens, the other takes the token granted last (and, with `overlap`, the one before).
struct Shop {
    std::atomic<int> granted{0};
    std::atomic<int> refused{0};
    std::atomic<int> valid{-1};  // Number of the only valid token; -1: the last granted.
    std::atomic<bool> door_open{true};

    http::testing::StubAnswer operator()(const http::IncomingRequest& request) {
        if (request.target() == kDoor) {
            if (!door_open) {
                return json_answer("", 503);
            }
            const int number = ++granted;
            return json_answer(fmt::format(
                R"({{"access_token":"token-{0}","scope":"x","expires_in":3600,"refresh_token":"refresh-{0}","refresh_token_expires_in":7776000}})",
                number));
        }
        const int wanted = valid < 0 ? granted.load() : valid.load();
        if (request.get("x-shopify-access-token") != fmt::format("token-{}", wanted)) {
            ++refused;
            return json_answer(R"({"errors":"[API] Invalid API key or access token"})", 401);
        }
        return data_answer(kNoLocations);
    }
};

std::string stored(int number, core::SystemTime expires) {
    return fmt::format(
        R"({{"access_token":"token-{0}","refresh_token":"refresh-{0}","expires_at":"{1}","refresh_token_expires_at":"2027-03-01T00:00:00Z"}})",
        number, core::format_rfc3339_utc(expires));
}

}  // namespace

TEST_CASE("token: a fixed token that is refused is asked once and is unauthorized", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return json_answer(R"({"errors":"[API] Invalid API key"})", 401); });
    const auto refused = ask(rig);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unauthorized);
    CHECK(refused.error().code == "token_refused");
    CHECK(refused.error().message.find("shpat") == std::string::npos);
    CHECK(rig.stub.requests().size() == 1);
}

TEST_CASE("token: a missing token file is unauthorized and nothing is sent", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest&) { return data_answer(kNoLocations); }, core::system_clock(), "token_file: none");
    CHECK(ask(rig).error().code == "token_missing");
    CHECK(rig.stub.requests().empty());
}

TEST_CASE("token: a token that was replaced on disk is taken up in the middle of a call", "[shopify][http]") {
    Rig rig([](const http::IncomingRequest& request) {
        return request.get("x-shopify-access-token") == "shpat_2" ? data_answer(kNoLocations)
                                                                  : json_answer(R"({"errors":"x"})", 401);
    });
    REQUIRE_FALSE(ask(rig));
    rig.folder.write("token", "shpat_2\n");
    REQUIRE(ask(rig));
    CHECK(rig.stub.requests().size() <= 3);
}

TEST_CASE("token: client credentials are asked for once by many callers", "[shopify][http]") {
    Shop shop;
    Rig rig([&](const http::IncomingRequest& request) { return shop(request); }, core::system_clock(), kCredentials);
    auto& admin = rig.admin();
    std::atomic<int> ok{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 6; ++i) {
        callers.emplace_back([&] { ok += ask(rig, admin) ? 1 : 0; });
    }
    for (auto& caller : callers) {
        caller.join();
    }
    CHECK(ok == 6);
    CHECK(shop.granted == 1);
    const auto door = rig.stub.requests().front();
    CHECK(door.target == kDoor);
    CHECK(door.body == "grant_type=client_credentials&client_id=app-1&client_secret=client-secret");
    CHECK(door.headers.get("content-type") == "application/x-www-form-urlencoded");
}

TEST_CASE("token: credentials that Shopify refuses are unauthorized, named, and not hammered", "[shopify][http]") {
    core::ManualClock clock;
    Rig rig(
        [](const http::IncomingRequest&) {
            return json_answer(R"({"error":"shop_not_permitted","error_description":"secret"})", 400);
        },
        clock, kCredentials);
    const auto refused = ask(rig);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unauthorized);
    CHECK(refused.error().code == "shop_not_permitted");
    CHECK(refused.error().message.find("secret") == std::string::npos);
    CHECK(ask(rig).error().code == "shop_not_permitted");
    CHECK(rig.stub.requests().size() == 1);
    clock.advance(6s);
    CHECK_FALSE(ask(rig));
    CHECK(rig.stub.requests().size() == 2);
}

TEST_CASE("token: a token is renewed before it ends, and lasts while the door is shut", "[shopify][http]") {
    core::ManualClock clock;
    Shop shop;
    shop.valid = 1;
    Rig rig([&](const http::IncomingRequest& request) { return shop(request); }, clock, kCredentials);
    rig.deadline = core::Deadline(clock, 24h);
    REQUIRE(ask(rig));
    clock.advance(49min);
    REQUIRE(ask(rig));
    CHECK(shop.granted == 1);
    clock.advance(2min);
    shop.door_open = false;
    REQUIRE(ask(rig));  // Near its end and still valid.
    clock.advance(10min);
    const auto over = ask(rig);
    REQUIRE_FALSE(over);
    CHECK(over.error().kind == ErrorKind::transient);
    CHECK(over.error().code == "token_door_failed");
    shop.door_open = true;
    shop.valid = -1;
    clock.advance(6s);
    CHECK(ask(rig));
    CHECK(shop.granted == 2);
}

TEST_CASE("token: one that ends early is renewed in the middle of the call, once", "[shopify][http]") {
    core::ManualClock clock;
    Shop shop;
    Rig rig([&](const http::IncomingRequest& request) { return shop(request); }, clock, kCredentials);
    REQUIRE(ask(rig));
    clock.advance(11s);
    shop.valid = 2;  // The first one was revoked.
    REQUIRE(ask(rig));
    CHECK(shop.granted == 2);
    CHECK(shop.refused == 1);
    // A shop that refuses also the fresh one is not asked for tokens for ever.
    shop.valid = 99;
    CHECK(ask(rig).error().code == "token_refused");
    CHECK(shop.granted == 2);
}

TEST_CASE("token: an expiring token is renewed by one of all processes, and the new refresh token is kept first",
          "[shopify][http]") {
    core::ManualClock clock;
    Shop shop;
    shop.granted = 1;
    Rig rig([&](const http::IncomingRequest& request) { return shop(request); }, clock, kExpiring);
    rig.deadline = core::Deadline(clock, 24h);
    rig.folder.write("tokens.json", stored(1, clock.now() + 1h));
    telemetry::Metrics other_metrics("other");
    Admins others({.http = *rig.client, .clock = clock, .metrics = other_metrics}, rig.shops);
    const auto other = others.of("eu").value();
    REQUIRE(ask(rig));
    REQUIRE(ask(rig, *other));
    CHECK(shop.granted == 1);
    clock.advance(55min);
    std::atomic<int> running{6};
    std::atomic<int> ok{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 6; ++i) {
        callers.emplace_back([&, i] {
            ok += ask(rig, i % 2 == 0 ? *rig.held : *other) ? 1 : 0;
            --running;
        });
    }
    while (running > 0) {
        clock.advance(5ms);  // Who waits for the lock of the store looks again by the clock.
        std::this_thread::sleep_for(1ms);
    }
    for (auto& caller : callers) {
        caller.join();
    }
    CHECK(shop.granted == 2);
    // Who still held the first one was refused and took the second from the store.
    CHECK(ok == 6);
    const auto requests = rig.stub.requests();
    const auto door = std::ranges::find(requests, std::string(kDoor), &http::testing::SeenRequest::target);
    REQUIRE(door != requests.end());
    CHECK(door->body == "grant_type=refresh_token&refresh_token=refresh-1&client_id=app-1&client_secret=client-secret");
    CHECK(rig.folder.read("tokens.json").find("refresh-2") != std::string::npos);
    CHECK((std::filesystem::status(rig.folder.path("tokens.json")).permissions() & std::filesystem::perms::others_read) ==
          std::filesystem::perms::none);
}

TEST_CASE("token: a store that is missing or broken is unauthorized with its cure", "[shopify][http]") {
    core::ManualClock clock;
    Shop shop;
    Rig rig([&](const http::IncomingRequest& request) { return shop(request); }, clock, kExpiring);
    CHECK(ask(rig).error().code == "token_store_unreadable");
    for (const char* broken :
         {"", "{}", R"({"access_token":"a","refresh_token":"b","expires_at":"soon","refresh_token_expires_at":"x"})"}) {
        clock.advance(6s);
        rig.folder.write("tokens.json", broken);
        CHECK(ask(rig).error().kind == ErrorKind::unauthorized);
    }
    CHECK(shop.granted == 0);
}

TEST_CASE("token: a store that cannot be written gives no token that would be lost", "[shopify][http]") {
    core::ManualClock clock;
    Folder folder;
    folder.write("tokens.json", stored(1, clock.now() - 1s));
    std::filesystem::create_directory(folder.path("tokens.json.next"));
    const auto store = make_file_token_store(folder.path("tokens.json"), clock);
    const auto updated =
        store->update(core::Deadline(clock, 1s), [](const StoredToken& now) -> core::Result<std::optional<StoredToken>> {
            auto next = now;
            next.refresh_token = "refresh-2";
            return std::optional(next);
        });
    REQUIRE_FALSE(updated);
    CHECK(updated.error().code == "token_store_unwritable");
    CHECK(store->read()->refresh_token == "refresh-1");
}
