// Exit codes, start-up errors, reload and drain of a real process.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <syncline/core/hash.h>
#include <syncline/json/document.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <syncline/postgres/testing/database.h>
#include <syncline/shops/v1/events.pb.h>
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/runtime/child.h"
#include "tests/runtime/eventually.h"
#include "tests/runtime/temp_folder.h"

using namespace std::chrono_literals;

namespace {

constexpr const char* kToken = "0123456789abcdef0123";

// The folder with a configuration that starts; `extra` is appended.
std::string config_in(const TempFolder& folder, const std::string& extra = {}) {
    folder.write("token", fmt::format("tester:{}\n", kToken));
    folder.write("service.yaml", fmt::format("greeting: hello\nadmin: {{listen: '127.0.0.1:0', token_file: {}}}\n{}",
                                             folder.path("token"), extra));
    return folder.path("service.yaml");
}

std::ptrdiff_t lines_with(const std::string& text, const std::string& word) {
    std::ptrdiff_t count = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
        ++count;
    }
    return count;
}

bool ready(const std::string& url) {
    return get(url + "/readyz").status == 200;
}

// A loopback port somebody listens on while the object lives.
class TakenPort {
public:
    TakenPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* raw = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(socket_, raw, size) == 0);
        REQUIRE(::listen(socket_, 1) == 0);
        REQUIRE(::getsockname(socket_, raw, &size) == 0);
        port_ = ::ntohs(address.sin_port);
    }
    TakenPort(const TakenPort&) = delete;
    TakenPort& operator=(const TakenPort&) = delete;
    ~TakenPort() { ::close(socket_); }
    [[nodiscard]] int port() const { return port_; }

private:
    int socket_;
    int port_ = 0;
};

}  // namespace

TEST_CASE("process: a wrong command line is exit 2 with a pointer to --help", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--nonsense"});
    CHECK(child.wait() == 2);
    CHECK(child.err().find("--help") != std::string::npos);
}

TEST_CASE("process: a missing configuration file is exit 2 and names it", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", folder.path("none.yaml")});
    CHECK(child.wait() == 2);
    CHECK(child.err().find("none.yaml") != std::string::npos);
}

TEST_CASE("process: bad YAML and unknown keys are exit 2, one log line, all problems, file and line", "[kit]") {
    const TempFolder folder;
    SECTION("bad YAML") {
        folder.write("service.yaml", "greeting: [\n");
        Child child(folder.path(), {"--config", folder.path("service.yaml")});
        CHECK(child.wait() == 2);
        CHECK(child.err().find("service.yaml:") != std::string::npos);
    }
    SECTION("unknown keys") {
        folder.write("service.yaml", "greting: hello\nadmin: {listn: '127.0.0.1:0'}\n");
        Child child(folder.path(), {"--config", folder.path("service.yaml")});
        CHECK(child.wait() == 2);
        CHECK(lines_with(child.out(), "\n") == 1);
        const auto line = child.line_with("start_failed");
        REQUIRE(line);
        CHECK(member_of(*line, "message").find("service.yaml:1: unknown key greting") != std::string::npos);
        CHECK(member_of(*line, "message").find("service.yaml:2: unknown key admin.listn") != std::string::npos);
        CHECK(member_of(*line, "message").find("key greeting is missing") != std::string::npos);
        CHECK(member_of(*line, "hint").find("did you mean admin.listen?") != std::string::npos);
        CHECK(child.err().find("3 problems") != std::string::npos);
    }
}

TEST_CASE("process: what the wiring needs and the configuration lacks is reported together", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder,
                                                      "use: {shops: true, kafka: true, postgres: true}\n"
                                                      "target: {api_key_file: /nonexistent/key}\n")});
    CHECK(child.wait() == 2);
    for (const char* words :
         {"shops_file is missing", "kafka.brokers is missing", "postgres.url is missing", "/nonexistent/key"}) {
        CAPTURE(words, child.err());
        CHECK(child.err().find(words) != std::string::npos);
    }
}

TEST_CASE("process: a stray exception while wiring is exit 2, not a crash", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder, "use: {broken: true}\n")});
    CHECK(child.wait() == 2);
    CHECK(child.err().find("wired wrongly") != std::string::npos);
}

TEST_CASE("process: a taken admin port is exit 2 and names the port", "[kit]") {
    const TempFolder folder;
    const TakenPort taken;
    Child child(folder.path(), {"--config", config_in(folder)},
                {{"SYNCLINE_ADMIN_LISTEN", fmt::format("127.0.0.1:{}", taken.port())}});
    CHECK(child.wait() == 2);
    CHECK(child.err().find(std::to_string(taken.port())) != std::string::npos);
    CHECK(child.err().find("admin.listen") != std::string::npos);
}

TEST_CASE("process: --help and --version say what there is without a configuration", "[kit]") {
    const TempFolder folder;
    Child help(folder.path(), {"--help"});
    CHECK(help.wait() == 0);
    for (const char* words : {"--check-config", "greeting", "What is said first.", "kafka.brokers", "default 25s"}) {
        CAPTURE(words);
        CHECK(help.out().find(words) != std::string::npos);
    }
    Child version(folder.path(), {"--version"});
    CHECK(version.wait() == 0);
    CHECK(version.out().starts_with("kit-test "));
}

TEST_CASE("process: --describe is one JSON object with keys, metrics and routes", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--describe"}, {{"SYNCLINE_USE_KAFKA", "true"}, {"SYNCLINE_USE_POSTGRES", "true"}});
    REQUIRE(child.wait() == 0);
    const auto document = syncline::json::Document::parse(child.out());
    REQUIRE(document);
    const auto root = document->root();
    CHECK(*root.get("service")->string() == "kit-test");
    CHECK(root.get("config")->size() > 20);
    CHECK(root.get("metrics")->size() > 5);
    CHECK(root.get("admin_routes")->size() >= 3);
    REQUIRE(root.get("produces")->size() == 1);
    CHECK(child.out().find("\"greetings\"") != std::string::npos);
    CHECK(child.out().find("\"SYNCLINE_GREETING\"") != std::string::npos);
}

TEST_CASE("process: --check-config prints what is in force, masks secrets and connects nowhere", "[kit]") {
    const TempFolder folder;
    const auto config =
        config_in(folder, "use: {postgres: true}\npostgres: {url: 'postgresql://app:s3cret@nowhere.invalid/x'}\n");
    Child child(folder.path(), {"--config", config, "--check-config"});
    CHECK(child.wait() == 0);
    CHECK(child.out().find("postgresql://app:****@nowhere.invalid/x") != std::string::npos);
    CHECK((child.out() + child.err()).find("s3cret") == std::string::npos);
    CHECK(child.out().find("configuration ok") != std::string::npos);
}

TEST_CASE("process: --check-config judges shops and their secrets", "[kit]") {
    const TempFolder folder;
    folder.write("shops.yaml",
                 "apps: {main: {secret_files: [main.secret]}}\nshops: {eu: {domain: a.example, app: main, currency: EUR, "
                 "timezone: UTC}}\n");
    const auto config = config_in(folder, fmt::format("use: {{shops: true}}\nshops_file: {}\n", folder.path("shops.yaml")));
    Child missing(folder.path(), {"--config", config, "--check-config"});
    CHECK(missing.wait() == 2);
    CHECK(missing.err().find("app main has no readable secret") != std::string::npos);
    folder.write("main.secret", "shh-very-secret");
    Child good(folder.path(), {"--config", config, "--check-config"});
    CHECK(good.wait() == 0);
    CHECK(good.out().find("a.example") != std::string::npos);
    CHECK(good.out().find("1 of 1 secrets readable") != std::string::npos);
    CHECK(good.out().find("shh-very-secret") == std::string::npos);
}

TEST_CASE("process: probes, metrics and version answer; admin routes want a token", "[kit]") {
    const TempFolder folder;
    folder.write("key", "first");
    Child child(folder.path(),
                {"--config", config_in(folder, fmt::format("target: {{api_key_file: {}}}\n", folder.path("key")))});
    const auto url = child.admin_url();
    REQUIRE(eventually([&] { return ready(url); }));
    CHECK(get(url + "/livez").status == 200);
    CHECK(get(url + "/startupz").status == 200);
    CHECK(get(url + "/readyz?verbose").body.find("[+] started ok") != std::string::npos);
    CHECK(get(url + "/metrics").body.find("syncline_build_info") != std::string::npos);
    CHECK(get(url + "/version").body.find("kit-test") != std::string::npos);
    CHECK(get(url + "/other").status == 404);
    CHECK(get(url + "/admin/test/key").status == 401);
    CHECK(get(url + "/admin/test/key", "wrong").status == 401);
    CHECK(get(url + "/admin/test/key", kToken).body == "\"tester first\"");
    CHECK(get(url + "/admin/nothing", kToken).status == 404);

    // A rotated secret and a rotated token are in force without a restart.
    folder.write("key", "second");
    CHECK(eventually([&] { return get(url + "/admin/test/key", kToken).body == "\"tester second\""; }));
    folder.write("token", "other:fedcba9876543210fedc\n");
    CHECK(eventually([&] { return get(url + "/admin/test/key", "fedcba9876543210fedc").body == "\"other second\""; }));
    CHECK(eventually([&] { return get(url + "/admin/test/key", kToken).status == 401; }));
}

TEST_CASE("process: without a token file admin routes are closed", "[kit]") {
    const TempFolder folder;
    folder.write("service.yaml", "greeting: hello\nadmin: {listen: '127.0.0.1:0'}\n");
    Child child(folder.path(), {"--config", folder.path("service.yaml")});
    CHECK(get(child.admin_url() + "/admin/test/key", kToken).status == 403);
}

TEST_CASE("process: a shop added by a symlink swap is served without a restart, a bad file changes nothing", "[kit]") {
    const TempFolder folder;
    const std::string eu =
        "apps: {main: {secret_files: [/dev/fd/0]}}\nshops:\n  eu: {domain: a.example, app: main, currency: EUR, timezone: UTC, "
        "enabled: false}\n";
    folder.write("shops/..v1/shops.yaml", eu);
    folder.write("shops/..v2/shops.yaml",
                 eu + "  us: {domain: b.example, app: main, currency: USD, timezone: UTC, enabled: false}\n");
    folder.write("shops/..v3/shops.yaml", eu + "  us: {domain: a.example}\n");
    std::filesystem::create_symlink("..v1", folder.path("shops/..data"));
    std::filesystem::create_symlink("..data/shops.yaml", folder.path("shops/shops.yaml"));
    const auto swap = [&](const std::string& version) {
        std::filesystem::create_symlink(version, folder.path("shops/..tmp"));
        std::filesystem::rename(folder.path("shops/..tmp"), folder.path("shops/..data"));
    };
    Child child(
        folder.path(),
        {"--config", config_in(folder, fmt::format("use: {{shops: true}}\nshops_file: {}\n", folder.path("shops/shops.yaml")))});
    const auto url = child.admin_url();
    REQUIRE(eventually([&] { return ready(url); }));
    CHECK(get(url + "/admin/test/shops", kToken).body == "\"eu \"");
    swap("..v3");
    CHECK(child.line_with("config_reload_failed"));
    CHECK(get(url + "/admin/test/shops", kToken).body == "\"eu \"");
    swap("..v2");
    CHECK(eventually([&] { return get(url + "/admin/test/shops", kToken).body == "\"eu us \""; }));
}

TEST_CASE("process: SIGTERM drains in order and exits 0", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder)});
    REQUIRE(child.line_with("service_ready"));
    child.signal(SIGTERM);
    CHECK(child.wait() == 0);
    const auto out = child.out();
    const auto order = {out.find("drain_started"), out.find("runnable_stopping"), out.find("on_stop_called"),
                        out.find("service_drained")};
    CHECK(std::ranges::is_sorted(order));
    CHECK(std::ranges::find(order, std::string::npos) == order.end());
}

TEST_CASE("process: a drain that takes too long ends at its deadline with exit 1 and a line that says so", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder, "slow_stop: 1m\ndrain_seconds: 1\n")});
    REQUIRE(child.line_with("service_ready"));
    child.signal(SIGINT);
    CHECK(child.wait(10s) == 1);
    CHECK(child.line_with("drain_deadline_missed", 0ms));
}

TEST_CASE("process: while draining it is not ready and still alive", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder, "slow_stop: 3s\n")});
    const auto url = child.admin_url();
    REQUIRE(eventually([&] { return ready(url); }));
    child.signal(SIGTERM);
    REQUIRE(child.line_with("runnable_stopping"));
    CHECK(get(url + "/readyz").status == 503);
    CHECK(get(url + "/readyz").body.find("draining") != std::string::npos);
    CHECK(get(url + "/livez").status == 200);
    CHECK(child.wait() == 0);
}

TEST_CASE("process: without Kafka it waits, says so, is not ready, and still drains", "[kafka]") {
    const TempFolder folder;
    Child child(folder.path(), {"--config", config_in(folder, "use: {kafka: true}\nkafka: {brokers: ['127.0.0.1:1']}\n")});
    const auto url = child.admin_url();
    CHECK(child.line_with("waiting_for_kafka"));
    CHECK(get(url + "/readyz?verbose").body.find("[-] kafka failed") != std::string::npos);
    CHECK(get(url + "/livez").status == 200);
    child.signal(SIGTERM);
    CHECK(child.wait() == 0);
}

TEST_CASE("process: with its topics there it becomes ready", "[kafka]") {
    syncline::kafka::testing::MockCluster cluster;
    cluster.create_topic("syncline.shops.v1", 1);
    const TempFolder folder;
    Child child(
        folder.path(),
        {"--config", config_in(folder, fmt::format("use: {{kafka: true}}\nkafka: {{brokers: '{}'}}\n", cluster.brokers()))});
    CHECK(child.line_with("service_ready"));
    CHECK(ready(child.admin_url()));
    child.signal(SIGTERM);
    CHECK(child.wait() == 0);
}

TEST_CASE("process: a service with a handler joins its group, handles each event once and leaves on SIGTERM", "[kafka]") {
    using syncline::postgres::testing::Database;
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Database database;
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
    syncline::kafka::testing::MockCluster cluster;
    cluster.create_topic("syncline.shops.v1", 1);
    cluster.create_topic("syncline.dead-letters.v1", 6);
    cluster.create_topic("syncline.dead-letter-actions.v1", 1);
    const TempFolder folder;
    const auto config =
        config_in(folder, fmt::format("use: {{handler: true}}\nkafka: {{brokers: '{}'}}\npostgres: {{url: '{}'}}\n",
                                      cluster.brokers(), Database::url()));
    auto& clock = syncline::core::system_clock();
    auto producer = syncline::kafka::Producer::create({.client = {.brokers = cluster.brokers()}});
    REQUIRE(producer);
    const auto send = [&](const std::string& shop) {
        syncline::shops::v1::AppUninstalled event;
        event.set_shop(shop);
        return (*producer)
            ->send({.topic = "syncline.shops.v1",
                    .key = shop,
                    .value = event.SerializeAsString(),
                    .headers = {{"ce_id", syncline::core::uuid_v5(syncline::core::kSynclineNamespace, shop)},
                                {"ce_type", "syncline.shops.v1.AppUninstalled"}}},
                   syncline::core::Deadline(clock, 10s))
            .has_value();
    };
    REQUIRE(send("eu"));
    {
        Child child(folder.path(), {"--config", config});
        CHECK(child.line_with("app_uninstalled", 30s));
        CHECK(eventually([&] { return ready(child.admin_url()); }));
        CHECK(get(child.admin_url() + "/livez").body == "ok\n");
        CHECK(get(child.admin_url() + "/admin/mappings", kToken).status == 200);
        child.signal(SIGTERM);
        CHECK(child.wait() == 0);
        CHECK(lines_with(child.out(), "app_uninstalled") == 1);
    }
    REQUIRE(send("us"));
    Child again(folder.path(), {"--config", config});
    CHECK(again.line_with("app_uninstalled", 30s));
    again.signal(SIGTERM);
    CHECK(again.wait() == 0);
    CHECK(lines_with(again.out(), "\"shop\":\"us\"") == 1);
    CHECK(lines_with(again.out(), "\"shop\":\"eu\"") == 0);
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
}

TEST_CASE("process: --migrate makes the schema, a second run finds nothing to do", "[postgres]") {
    using syncline::postgres::testing::Database;
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Database database;
    const TempFolder folder;
    const auto config = config_in(
        folder, fmt::format("use: {{postgres: true}}\npostgres: {{url: '{}', migrate_at_start: false}}\n", Database::url()));
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");

    Child early(folder.path(), {"--config", config});
    CHECK(early.wait() == 2);
    CHECK(early.err().find("kit-test --migrate") != std::string::npos);

    Child first(folder.path(), {"--config", config, "--migrate"});
    CHECK(first.wait() == 0);
    CHECK(first.out().find("test_0001") != std::string::npos);
    Child second(folder.path(), {"--config", config, "--migrate"});
    CHECK(second.wait() == 0);
    CHECK(second.out().find("\"applied\":0") != std::string::npos);
    CHECK(database.value("SELECT count(*)::text FROM kit_test.greetings") == "0");

    Child serving(folder.path(), {"--config", config});
    CHECK(serving.line_with("service_ready"));
    serving.signal(SIGTERM);
    CHECK(serving.wait() == 0);
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
}

TEST_CASE("process: a newer schema refuses a start and a migration by name, and leaves alone who runs already", "[postgres]") {
    using syncline::postgres::testing::Database;
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Database database;
    const TempFolder folder;
    const auto config = config_in(folder, fmt::format("use: {{postgres: true}}\npostgres: {{url: '{}'}}\n", Database::url()));
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
    Child running(folder.path(), {"--config", config});
    REQUIRE(running.line_with("service_ready"));

    database.exec("INSERT INTO kit_test.schema_migrations (name, sha256) VALUES ('test_0009_later', 'f00d')");
    for (const auto& arguments :
         {std::vector<std::string>{"--config", config}, std::vector<std::string>{"--config", config, "--migrate"}}) {
        const TempFolder output;
        Child late(output.path(), arguments);
        CHECK(late.wait() == 2);
        CHECK(late.err().find("newer than this program: test_0009_later") != std::string::npos);
        CHECK(late.err().find("restore the backup") != std::string::npos);
    }
    CHECK(ready(running.admin_url()));
    running.signal(SIGTERM);
    CHECK(running.wait() == 0);
    database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
}

TEST_CASE("process: without PostgreSQL it waits, says so and is not ready", "[postgres]") {
    const TempFolder folder;
    Child child(
        folder.path(),
        {"--config", config_in(folder, "use: {postgres: true}\npostgres: {url: 'postgresql://nobody@127.0.0.1:1/none'}\n")});
    const auto url = child.admin_url();
    CHECK(child.line_with("waiting_for_postgres"));
    CHECK(get(url + "/readyz?verbose").body.find("[-] postgres failed: postgres_unavailable") != std::string::npos);
    child.signal(SIGTERM);
    CHECK(child.wait() == 0);
}
