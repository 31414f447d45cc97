// The smallest service there is, driven by process_test.cpp: what it uses and how it behaves is configuration.
#include <syncline/inventory/v1/events.pb.h>
#include <syncline/kit/admin.h>
#include <syncline/kit/batch_events.h>
#include <syncline/kit/service.h>
#include <syncline/kit/shops.h>
#include <syncline/postgres/pool.h>
#include <syncline/shops/v1/events.pb.h>
#include <syncline/telemetry/log.h>
#include <syncline/topics.h>

#include <cstdlib>
#include <stdexcept>

using namespace syncline;

namespace {

struct Config {
    std::string greeting;
    kit::SecretFile api_key;
    bool use_shops = false;
    bool use_kafka = false;
    bool use_postgres = false;
    bool use_handler = false;
    bool use_batch = false;
    bool broken = false;
    std::chrono::milliseconds slow_stop{0};

    void declare(kit::ConfigSchema& schema) {
        schema.add("greeting", greeting, {.help = "What is said first.", .required = true, .example = "hello"});
        schema.add("target.api_key_file", api_key, {.help = "File with the key of the target."});
        schema.add("use.shops", use_shops, {.help = "Needs shops."});
        schema.add("use.kafka", use_kafka, {.help = "Publishes."});
        schema.add("use.postgres", use_postgres, {.help = "Keeps state."});
        schema.add("use.handler", use_handler, {.help = "Consumes."});
        schema.add("use.batch", use_batch, {.help = "Consumes stock in batches."});
        schema.add("use.broken", broken, {.help = "Throws while wiring."});
        schema.add("slow_stop", slow_stop, {.help = "How long stopping takes."});
    }
};

void wire(kit::Service& service) {
    const auto config = service.config<Config>();
    if (config.broken) {
        throw std::logic_error("wired wrongly");
    }
    if (config.use_shops) {
        auto& shops = service.shops();
        service.admin().route("GET", "/admin/test/shops", "Aliases.", [&shops](const kit::AdminRequest&) {
            std::string aliases;
            for (const auto& [alias, shop] : shops.current()->by_alias) {
                aliases += alias + " ";
            }
            return kit::AdminReply::json("\"" + aliases + "\"");
        });
    }
    if (config.use_kafka) {
        service.publishes(topics::shops, {"syncline.shops.v1.AppUninstalled"});
    }
    if (config.use_postgres) {
        static_cast<void>(service.postgres());
        service.migration("test_0001", "CREATE TABLE greetings (text text NOT NULL)");
    }
    if (config.use_handler) {
        service.on<shops::v1::AppUninstalled>({.topic = topics::shops,
                                               .consumer_group = "kit-test.v1",
                                               .handle = [](const shops::v1::AppUninstalled& event, kit::Delivery&) {
                                                   telemetry::log::info("app_uninstalled", {{"shop", event.shop()}});
                                                   return kit::Outcome::done();
                                               }});
    }
    if (config.use_batch) {
        using inventory::v1::StockReported;
        service.migration("test_0002", "CREATE TABLE levels (sku text PRIMARY KEY, applied bigint NOT NULL)");
        service.migration("test_0003", "CREATE TABLE passing (sku text)");
        service.migration("test_0004", "DROP TABLE passing;");
        service.on_batch(kit::batch_of<StockReported>(
            {.topic = topics::inventory,
             .consumer_group = "kit-test-stock.v1",
             .apply = [](std::span<const kit::BatchEvent<StockReported>> events,
                         postgres::Transaction& tx) -> core::Result<kit::BatchOutcome> {
                 std::vector<std::string> skus;
                 for (const auto& event : events) {
                     skus.push_back(event.get<StockReported>()->position().sku());
                     if (skus.back() == "killer") {
                         std::_Exit(9);  // As a fault that no exception tells of.
                     }
                 }
                 auto rows = tx.exec(
                     "INSERT INTO levels SELECT sku, count(*) FROM unnest($1::text[]) AS w(sku) GROUP BY sku "
                     "ON CONFLICT (sku) DO UPDATE SET applied = levels.applied + excluded.applied",
                     postgres::Params{}.add_array(std::span<const std::string>(skus)));
                 if (!rows) {
                     return std::unexpected(std::move(rows.error()));
                 }
                 return kit::BatchOutcome{};
             }}));
    }
    service.admin().route("GET", "/admin/test/key", "The secret, for the test of its rotation.",
                          [key = config.api_key](const kit::AdminRequest& request) {
                              return kit::AdminReply::json("\"" + request.actor + " " + key.current() + "\"");
                          });
    service.runnable(
        "greeter", [] { telemetry::log::info("runnable_started"); },
        [&clock = service.clock(), slow = config.slow_stop](core::Deadline) {
            telemetry::log::info("runnable_stopping");
            clock.sleep_for(slow);
        });
    service.on_stop([] { telemetry::log::info("on_stop_called"); });
}

}  // namespace

int main(int argc, char** argv) {
    return kit::run("kit-test", argc, argv, wire);
}
