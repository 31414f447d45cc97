#include <fmt/format.h>
#include <syncline/kit/mappings.h>
#include <syncline/kit/shops.h>
#include <catch2/catch_test_macros.hpp>

using namespace syncline;
using namespace syncline::kit;

namespace {

constexpr core::SystemTime kNow{std::chrono::seconds{1'760'000'000}};

constexpr std::string_view kGood = R"(
apps:
  main: {secret_files: [secrets/main, /run/secrets/main-next]}
shops:
  eu: {domain: Acme-EU.myshopify.com, app: main, currency: EUR, timezone: Europe/Berlin}
  us-b2b: {domain: acme-us.myshopify.com, app: main, currency: USD, timezone: America/New_York, enabled: false}
)";

std::string refusal_of(std::string_view yaml) {
    Shops shops;
    const auto loaded = shops.load(yaml, "/etc/syncline", kNow);
    return loaded ? std::string() : loaded.error().message;
}

}  // namespace

TEST_CASE("shops: a file that is wrong anywhere is refused with the lines", "[kit][unit]") {
    CHECK(refusal_of("").find("no apps: and shops:") != std::string::npos);
    CHECK(refusal_of("apps: {}\n").find("shops: is missing") != std::string::npos);
    CHECK(refusal_of("apps: [").find("not YAML") != std::string::npos);
    const auto many = refusal_of(
        "apps:\n"
        "  main: {secret_file: x}\n"
        "shops:\n"
        "  EU: {domain: a.b, app: main, currency: EUR, timezone: UTC}\n"
        "  eu: {domain: nodot, app: gone, currency: eur, timezone: berlin}\n"
        "  us: {domain: a.b, app: main, currency: USD, timezone: UTC, curency: EUR, enabled: maybe}\n"
        "  de: {domain: a.b, app: main, currency: EUR, timezone: UTC}\n");
    CHECK(many.find("line 2: unknown member apps.main.secret_file (did you mean secret_files?)") != std::string::npos);
    CHECK(many.find("line 2: app main has no list secret_files") != std::string::npos);
    CHECK(many.find("line 4: the name \"EU\"") != std::string::npos);
    CHECK(many.find("line 5: domain of shop eu") != std::string::npos);
    CHECK(many.find("names the app \"gone\"") != std::string::npos);
    CHECK(many.find("line 5: currency of shop eu") != std::string::npos);
    CHECK(many.find("line 5: timezone of shop eu") != std::string::npos);
    CHECK(many.find("line 6: unknown member shops.us.curency (did you mean currency?)") != std::string::npos);
    CHECK(many.find("line 6: enabled of shop us") != std::string::npos);
    CHECK(many.find("line 7: shop de has the domain of shop us") != std::string::npos);
}

TEST_CASE("shops: an admin section that is wrong anywhere is refused with the lines", "[kit][unit]") {
    const auto refusal = [](std::string_view admin) {
        return refusal_of(
            fmt::format("apps: {{main: {{secret_files: [a]}}}}\n"
                        "shops:\n"
                        "  eu: {{domain: a.example, app: main, currency: EUR, timezone: UTC,\n"
                        "       admin: {}}}\n",
                        admin));
    };
    CHECK(refusal("yes").find("line 4: admin of shop eu is not a map") != std::string::npos);
    CHECK(refusal("{}").find("needs one of token_file, client_credentials and expiring") != std::string::npos);
    CHECK(refusal("{token_file: t, client_credentials: {client_id: i, client_secret_file: s}}").find("needs one of") !=
          std::string::npos);
    CHECK(refusal("{token: t}").find("unknown member shops.eu.admin.token") != std::string::npos);
    CHECK(refusal("{token_file: t, api_version: 2026-11}").find("api_version of admin of shop eu") != std::string::npos);
    CHECK(refusal("{token_file: t, url: 'https://x/admin'}").find("url of admin of shop eu") != std::string::npos);
    CHECK(refusal("{token_file: t, url: 'ftp://x'}").find("url of admin of shop eu") != std::string::npos);
    CHECK(refusal("{token_file: t, points_per_second: 0}").find("points_per_second of admin") != std::string::npos);
    CHECK(refusal("{client_credentials: {client_id: i}}").find("client_credentials has no client_secret_file") !=
          std::string::npos);
    CHECK(refusal("{client_credentials: {client_id: i, client_secret_file: s, store: x}}").find("unknown member") !=
          std::string::npos);
    CHECK(refusal("{expiring: {client_id: i, client_secret_file: s}}").find("expiring has no store") != std::string::npos);
    CHECK(refusal("{token_file: t}").empty());
}

TEST_CASE("shops: each way to an admin token is read, with paths from the folder of the file", "[kit][unit]") {
    Shops shops;
    REQUIRE(
        shops.load("apps: {main: {secret_files: [a]}}\n"
                   "shops:\n"
                   "  a: {domain: a.example, app: main, currency: EUR, timezone: UTC, admin: {token_file: secrets/a}}\n"
                   "  b: {domain: b.example, app: main, currency: EUR, timezone: UTC, admin: {url: 'http://127.0.0.1:81',\n"
                   "      api_version: 2026-07, points_per_second: 1000, client_credentials: {client_id: id,\n"
                   "      client_secret_file: /s}}}\n"
                   "  c: {domain: c.example, app: main, currency: EUR, timezone: UTC,\n"
                   "      admin: {expiring: {client_id: id, client_secret_file: s, store: state/c.json}}}\n"
                   "  d: {domain: d.example, app: main, currency: EUR, timezone: UTC}\n",
                   "/etc/syncline", kNow));
    const auto snapshot = shops.current();
    const auto& a = snapshot->find("a")->admin;
    REQUIRE(a);
    CHECK(a->url == "https://a.example");
    CHECK(a->api_version.empty());
    CHECK(a->token.path() == "/etc/syncline/secrets/a");
    const auto& b = snapshot->find("b")->admin;
    REQUIRE(b);
    CHECK(b->url == "http://127.0.0.1:81");
    CHECK(b->api_version == "2026-07");
    CHECK(b->points_per_second == 1000);
    CHECK(b->grant == ShopAdmin::Grant::client_credentials);
    CHECK(b->client_secret.path() == "/s");
    const auto& c = snapshot->find("c")->admin;
    REQUIRE(c);
    CHECK(c->grant == ShopAdmin::Grant::expiring);
    CHECK(c->store == "/etc/syncline/state/c.json");
    CHECK_FALSE(snapshot->find("d")->admin);
}

TEST_CASE("shops: a bad file leaves the last good shops in force", "[kit][unit]") {
    Shops shops;
    REQUIRE(shops.load(kGood, "/etc/syncline", kNow));
    const auto before = shops.current();
    REQUIRE_FALSE(shops.load("shops: {eu: {}}", "/etc/syncline", kNow));
    CHECK(shops.current() == before);
}

TEST_CASE("shops: a good file is found by alias and by domain in any case", "[kit][unit]") {
    Shops shops;
    CHECK(shops.current()->by_alias.empty());
    REQUIRE(shops.load(kGood, "/etc/syncline", kNow));
    const auto snapshot = shops.current();
    REQUIRE(snapshot->find("eu") != nullptr);
    CHECK(snapshot->find("eu")->domain == "acme-eu.myshopify.com");
    CHECK(snapshot->find_by_domain("ACME-eu.MyShopify.com") == snapshot->find("eu"));
    CHECK(snapshot->find_by_domain("other.myshopify.com") == nullptr);
    CHECK_FALSE(snapshot->find("us-b2b")->enabled);
    const auto* app = snapshot->app_of(*snapshot->find("eu"));
    REQUIRE(app->secrets.size() == 2);
    CHECK(app->secrets[0].path() == "/etc/syncline/secrets/main");
    CHECK(app->secrets[1].path() == "/run/secrets/main-next");
    CHECK(snapshot->version.size() == 64);
}

TEST_CASE("shops: metric labels stop at a hundred shops", "[kit][unit]") {
    std::string yaml = "apps: {main: {secret_files: [a]}}\nshops:\n";
    for (int i = 0; i < 101; ++i) {
        yaml += fmt::format("  shop-{:03}: {{domain: s{}.example, app: main, currency: EUR, timezone: UTC}}\n", i, i);
    }
    Shops shops;
    REQUIRE(shops.load(yaml, "/", kNow));
    CHECK(shops.current()->label_of("shop-099") == "shop-099");
    CHECK(shops.current()->label_of("shop-100") == "other");
    CHECK(shops.current()->label_of("unknown") == "other");
}

TEST_CASE("shops: a reload tells listeners and keeps what is known of a secret", "[kit][unit]") {
    Shops shops;
    int told = 0;
    shops.on_change([&](const ShopsSnapshot&) { ++told; });
    REQUIRE(shops.load(kGood, "/etc/syncline", kNow));
    const auto before = shops.current();
    REQUIRE(shops.load(std::string(kGood) + "\n# changed\n", "/etc/syncline", kNow));
    CHECK(told == 2);
    CHECK(shops.current()->version != before->version);
}

TEST_CASE("mappings: a text that does not parse leaves the last good one in force", "[kit][unit]") {
    Mappings mappings("odoo-main", [](std::string_view text) -> core::Result<std::shared_ptr<const void>> {
        if (text == "bad") {
            return core::fail(core::ErrorKind::rejected, "bad_mapping", "line 1: bad");
        }
        return as_parsed(core::Result<std::string>(std::string(text)));
    });
    CHECK(mappings.current<std::string>() == nullptr);
    CHECK(mappings.snapshot()->version.empty());
    int told = 0;
    mappings.on_change([&](const MappingSnapshot&) { ++told; });
    REQUIRE(mappings.load("one", kNow));
    const auto version = mappings.snapshot()->version;
    CHECK(version.size() == 16);
    const auto refused = mappings.load("bad", kNow);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == "bad_mapping");
    CHECK(*mappings.current<std::string>() == "one");
    CHECK(mappings.snapshot()->version == version);
    CHECK(told == 1);
}

TEST_CASE("mappings: equal text keeps version and first sight, new text changes both", "[kit][unit]") {
    Mappings mappings("odoo-main", [](std::string_view text) { return as_parsed(core::Result<std::string>(std::string(text))); });
    REQUIRE(mappings.load("one", kNow));
    REQUIRE(mappings.load("one", kNow + std::chrono::hours{1}));
    CHECK(mappings.snapshot()->first_seen == kNow);
    REQUIRE(mappings.load("two", kNow + std::chrono::hours{2}));
    CHECK(mappings.snapshot()->first_seen == kNow + std::chrono::hours{2});
    CHECK(*mappings.current<std::string>() == "two");
}
