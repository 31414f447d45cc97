// Batches in a real process that dies: in the middle of a record, and between its transaction and Kafka.
#include <fmt/format.h>
#include <signal.h>

#include <syncline/core/hash.h>
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/json/document.h>
#include <syncline/kafka/producer.h>
#include <syncline/kafka/testing/mock_cluster.h>
#include <syncline/postgres/testing/database.h>
#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "tests/runtime/child.h"
#include "tests/runtime/eventually.h"
#include "tests/runtime/temp_folder.h"

using namespace std::chrono_literals;
using syncline::postgres::testing::Database;

namespace {

struct Stage {
    Stage() {
        database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE");
        cluster.create_topic("syncline.inventory.v1", 1);
        cluster.create_topic("syncline.dead-letters.v1", 6);
        cluster.create_topic("syncline.dead-letter-actions.v1", 1);
        folder.write("service.yaml", fmt::format("greeting: hello\nadmin: {{listen: '127.0.0.1:0'}}\nuse: {{batch: true}}\n"
                                                 "kafka: {{brokers: '{}'}}\npostgres: {{url: '{}'}}\n",
                                                 cluster.brokers(), Database::url()));
        auto made = syncline::kafka::Producer::create({.client = {.brokers = cluster.brokers()}});
        REQUIRE(made);
        producer = std::move(*made);
    }
    ~Stage() { database.exec("DROP SCHEMA IF EXISTS kit_test CASCADE"); }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    void send(const std::string& sku) {
        syncline::inventory::v1::StockReported event;
        event.mutable_position()->set_sku(sku);
        const auto accepted = producer->produce(
            {.topic = "syncline.inventory.v1",
             .key = sku,
             .value = event.SerializeAsString(),
             .headers = {{"ce_id", syncline::core::uuid_v4()}, {"ce_type", "syncline.inventory.v1.StockReported"}}},
            [](auto) {});
        REQUIRE(accepted);
    }
    void flush() { REQUIRE(producer->flush(syncline::core::Deadline(syncline::core::system_clock(), 10s))); }
    std::int64_t count(const std::string& sql) {
        const auto known = database.value("SELECT to_regclass('kit_test.levels') IS NOT NULL") == "t";
        return known ? std::stoll(database.value(sql)) : 0;
    }

    Database database;
    syncline::kafka::testing::MockCluster cluster;
    TempFolder folder;
    std::unique_ptr<syncline::kafka::Producer> producer;
};

}  // namespace

TEST_CASE("process: a record that kills the process is found and dead-lettered, all others count once", "[kafka]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Stage stage;
    for (int i = 0; i < 900; ++i) {
        stage.send(i == 333 ? "killer" : fmt::format("sku-{}", i));
    }
    stage.flush();
    int deaths = 0;
    const auto settled = [&] {
        return stage.count("SELECT count(*) FROM kit_test.levels") == 899;
    };
    for (; deaths < 10; ++deaths) {
        Child child(stage.folder.path(), {"--config", stage.folder.path("service.yaml")});
        std::optional<int> code;
        CHECK(eventually(
            [&] {
                code = child.wait(0ms);
                return code.has_value() || settled();
            },
            60s));
        if (!code) {
            child.signal(SIGTERM);
            CHECK(child.wait() == 0);
            break;
        }
        CHECK(code == 9);
    }
    // The batch, the 80th of it that holds the record, and three times the record alone.
    CHECK(deaths == 5);
    CHECK(settled());
    CHECK(stage.count("SELECT count(*) FROM kit_test.levels WHERE applied <> 1") == 0);
    CHECK(stage.database.value("SELECT code FROM kit_test.dead_letters") == "process_died");
    CHECK(stage.count("SELECT record_offset FROM kit_test.dead_letters") == 333);
    CHECK(stage.count("SELECT count(*) FROM kit_test.poison_tries") == 0);
}

TEST_CASE("process: a death between the transaction and Kafka's offset repeats nothing", "[kafka]") {
    if (!Database::available()) {
        SKIP(Database::kWhyNot);
    }
    Stage stage;
    for (int i = 0; i < 500; ++i) {
        stage.send(fmt::format("sku-{}", i));
    }
    stage.flush();
    const auto marker = stage.folder.path("marker");
    {
        Child child(stage.folder.path(), {"--config", stage.folder.path("service.yaml")},
                    {{"SYNCLINE_FAULT", "batch_committed:1:kill"}, {"SYNCLINE_FAULT_MARKER", marker}});
        CHECK(child.wait(40s) == 128 + SIGKILL);
    }
    std::ifstream reached(marker);
    std::string point;
    std::getline(reached, point);
    CHECK(point == "batch_committed");
    CHECK(stage.count("SELECT count(*) FROM kit_test.levels") > 0);
    for (int i = 500; i < 600; ++i) {
        stage.send(fmt::format("sku-{}", i));
    }
    stage.flush();
    {
        // And once more before the transaction ends: nothing of it counts.
        Child child(stage.folder.path(), {"--config", stage.folder.path("service.yaml")},
                    {{"SYNCLINE_FAULT", "batch_applied:1:kill"}, {"SYNCLINE_FAULT_MARKER", marker}});
        CHECK(child.wait(40s) == 128 + SIGKILL);
    }
    Child child(stage.folder.path(), {"--config", stage.folder.path("service.yaml")});
    REQUIRE(eventually([&] { return stage.count("SELECT count(*) FROM kit_test.levels") == 600; }, 40s));
    CHECK(eventually([&] { return get(child.admin_url() + "/readyz").status == 200; }));
    CHECK(stage.count("SELECT count(*) FROM kit_test.levels WHERE applied <> 1") == 0);
    child.signal(SIGTERM);
    CHECK(child.wait() == 0);
    CHECK(stage.count("SELECT count(*) FROM kit_test.partition_markers WHERE NOT clean") == 0);
}

TEST_CASE("process: --describe lists batches with their topic and group, and each table once that is still there", "[kit]") {
    const TempFolder folder;
    Child child(folder.path(), {"--describe"}, {{"SYNCLINE_USE_BATCH", "true"}, {"SYNCLINE_USE_HANDLER", "true"}});
    REQUIRE(child.wait() == 0);
    const auto out = child.out();
    CHECK(out.find(
              R"("topic":"inventory.v1","event":"StockReported","type":"syncline.inventory.v1.StockReported","family":"batch",)"
              R"("group":"kit-test-stock.v1")") != std::string::npos);
    CHECK(out.find(R"("group":"kit-test.v1")") != std::string::npos);
    CHECK(out.find("syncline_batch_apply_seconds") != std::string::npos);
    CHECK(out.find(R"(/admin/batches)") != std::string::npos);
    const auto document = syncline::json::Document::parse(out);
    REQUIRE(document);
    const auto begin = out.find("\"tables\":[");
    REQUIRE(begin != std::string::npos);
    const auto tables = out.substr(begin, out.find(']', begin) - begin);
    for (const char* table : {"\"batch_offsets\"", "\"mapping_versions\"", "\"work_leases\"", "\"levels\""}) {
        const auto at = tables.find(table);
        CHECK(at != std::string::npos);
        CHECK(tables.find(table, at + 1) == std::string::npos);
    }
    CHECK(tables.find("\"IF\"") == std::string::npos);
    // A later migration drops it.
    CHECK(tables.find("passing") == std::string::npos);
}
