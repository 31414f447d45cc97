// ingress: the only public door. Shopify's webhooks and the stock of push sources become events; 2xx means that the brokers have
// them.
#include <syncline/kit/service.h>
#include <syncline/topics.h>

#include "adapters/dead_letter_routes.h"
#include "adapters/http_door.h"
#include "adapters/kafka_dead_letter_log.h"
#include "adapters/kafka_publisher.h"
#include "adapters/kit_shop_directory.h"
#include "adapters/shopify/mapping.h"
#include "adapters/stock/stock_door.h"
#include "adapters/stock/stock_mapping.h"
#include "adapters/stock/stock_sources_file.h"
#include "adapters/webhook_metrics.h"
#include "app/receive_webhook.h"
#include "app/replay_webhook.h"
#include "config.h"

namespace ingress {

namespace topics = syncline::topics;

void wire(syncline::kit::Service& service) {
    const auto config = service.config<Config>();
    for (const auto* topic : {topics::orders, topics::customers, topics::shops, topics::inventory, topics::fulfillments,
                              topics::dead_letters, topics::dead_letter_actions}) {
        std::vector<std::string> types;
        for (const auto& type : topics::find(topic)->types) {
            types.emplace_back(type.name);
        }
        service.publishes(topic, std::move(types));
    }

    auto& shops = service.own<KitShopDirectory>(service.shops());
    auto& mapping = service.own<ShopifyMapping>();
    auto& publisher = service.own<KafkaPublisher>(service.producer(), service.topic_name(""));
    auto& metrics = service.own<WebhookMetrics>(service.metrics());
    auto& receive = service.own<ReceiveWebhook>(shops, mapping, publisher, service.clock(), config.acknowledge_limit);

    auto& sources = service.own<StockSourcesFile>();
    service.watch_file("stock.sources_file", config.stock_sources_file,
                       [&sources](const std::string& text, const std::string& folder) { return sources.load(text, folder); });
    auto& stock_mapping = service.own<JsonStockMapping>(config.stock_rules());
    auto& receive_stock = service.own<ReceiveStock>(sources, stock_mapping, publisher, service.clock(), config.stock_limits());
    auto& stock_metrics = service.own<StockMetrics>(service.metrics());
    stock_metrics.watch([&receive_stock] { return receive_stock.records_in_flight(); }, [&sources] { return sources.count(); });
    auto& stock = service.own<StockDoor>(config.stock_door(), sources, receive_stock, stock_metrics, service.clock());
    auto& door = service.own<HttpDoor>(config.door(service.clock()), shops, receive, metrics, service.clock(), &stock);
    metrics.watch([&door] { return door.stats(); }, [&receive] { return receive.waiting(); });

    auto& dead_letters = service.own<KafkaDeadLetterLog>(service.fetcher(), service.producer(), service.topic_name(""));
    auto& replay = service.own<ReplayWebhook>(shops, mapping, publisher, dead_letters, service.clock());
    add_dead_letter_routes(service.admin(), replay, metrics, service.clock());

    service.runnable("webhooks", [&door] { door.start(); }, [&door](syncline::core::Deadline deadline) { door.stop(deadline); });
}

}  // namespace ingress

int main(int argc, char** argv) {
    return syncline::kit::run("ingress", argc, argv, ingress::wire);
}
