// ingress: the only public door. Shopify's webhooks become events; 200 means that the brokers have them.
#include <syncline/kit/service.h>
#include <syncline/topics.h>

#include "adapters/dead_letter_routes.h"
#include "adapters/http_door.h"
#include "adapters/kafka_dead_letter_log.h"
#include "adapters/kafka_publisher.h"
#include "adapters/kit_shop_directory.h"
#include "adapters/shopify/mapping.h"
#include "adapters/webhook_metrics.h"
#include "app/receive_webhook.h"
#include "app/replay_webhook.h"
#include "config.h"

namespace ingress {

namespace topics = syncline::topics;

void wire(syncline::kit::Service& service) {
    const auto config = service.config<Config>();
    for (const auto* topic :
         {topics::orders, topics::customers, topics::shops, topics::dead_letters, topics::dead_letter_actions}) {
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
    auto& door = service.own<HttpDoor>(config.door(service.clock()), shops, receive, metrics, service.clock());
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
