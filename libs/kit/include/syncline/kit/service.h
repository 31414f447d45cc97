// A Syncline service: main() is one line, `wire` says what the service is made of.
//
//   void wire(kit::Service& service) {
//       const auto config = service.config<Config>();
//       auto& ledger = service.own<PgExportLedger>(service.postgres());
//       service.on<OrderChanged>({.topic = topics::orders, .consumer_group = group_of(config.connection), …});
//   }
//   int main(int argc, char** argv) { return syncline::kit::run("order-export", argc, argv, wire); }
//
// run() parses the command line (--config, --help, --version, --check-config, --describe, --migrate), reads the configuration,
// calls `wire`, opens probes, starts what was wired, drains on SIGTERM and returns the exit code: 0 drained or nothing to report,
// 2 start-up error (one log line with every problem and its cure), 1 the drain missed its deadline or a part of it broke for
// good. `wire` also runs for --help, --describe and --check-config: then nothing connects and files may be missing, so `wire`
// only makes objects and never does I/O of its own. It runs once, on the main thread; objects made with own() live until every
// handler has ended and are destroyed in reverse order. Kafka or PostgreSQL away at the start is no error: /readyz says so until
// they come.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/kit/batch.h>
#include <syncline/kit/config.h>
#include <syncline/kit/delivery.h>
#include <syncline/kit/handler.h>
#include <syncline/kit/outcome.h>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncline::http {
class Client;
}
namespace syncline::postgres {
class Pool;
}
namespace syncline::kafka {
class Fetcher;
class Producer;
}  // namespace syncline::kafka
namespace syncline::telemetry {
class Metrics;
}

namespace syncline::kit {

class AdminRouter;
class Mappings;
class Shops;

template <typename Event>
struct On {
    std::string topic;
    std::string consumer_group;
    Family family = Family::fact;
    std::function<std::string(const Event&)> resource;
    std::function<Version(const Event&)> version;
    std::function<Outcome(const Event&, Delivery&)> handle;
};

class Service {
public:
    virtual ~Service() = default;
    [[nodiscard]] virtual const std::string& name() const = 0;

    // Declared by Config::declare(ConfigSchema&); throws StartError naming every key that does not fit. Once per service, first
    // thing in `wire`. For --help and --describe the members keep their defaults and nothing throws.
    template <typename Config>
    Config config() {
        ConfigSchema schema;
        Config config;
        config.declare(schema);
        read_config(schema);
        return config;
    }

    [[nodiscard]] virtual core::Clock& clock() = 0;  // now() follows PostgreSQL's where there is one: instances agree on it.
    [[nodiscard]] virtual telemetry::Metrics& metrics() = 0;
    [[nodiscard]] virtual http::Client& http() = 0;         // Outbound.
    [[nodiscard]] virtual postgres::Pool& postgres() = 0;   // First use makes the service stateful (schema = name with _).
    [[nodiscard]] virtual kafka::Producer& producer() = 0;  // Idempotent, acks=all; for services that publish without an outbox.
    [[nodiscard]] virtual kafka::Fetcher& fetcher() = 0;    // Records by position and the newest of a topic; joins no group.
    [[nodiscard]] virtual AdminRouter& admin() = 0;         // Further admin routes.
    [[nodiscard]] virtual Shops& shops() = 0;               // shops.yaml, re-read on change.
    // mappings/<connection>.yaml, re-read on change; `parse` validates the whole (its error keeps the last good one).
    virtual Mappings& mappings(const std::string& connection,
                               std::function<core::Result<std::shared_ptr<const void>>(std::string_view text)> parse) = 0;

    // A file of the service's own, re-read on change like shops.yaml. `load` takes its whole text and its folder, at once and
    // after each change, on the watching thread; what it refuses keeps what was loaded before (the first refusal stops the
    // start). `key` is the configuration key that names `path`; an empty path is not watched.
    virtual void watch_file(const std::string& key, const std::string& path,
                            std::function<core::Result<void>(const std::string& text, const std::string& folder)> load) = 0;

    // "orders.v1" with the configured prefix: "syncline.orders.v1"; of "": the prefix and its dot.
    [[nodiscard]] virtual std::string topic_name(std::string_view topic) const = 0;
    // A topic (without prefix) this service writes, with the full Protobuf names: checked at the start, shown by --describe.
    // Topics of handlers and the kit's own (dead letters) are known without it.
    virtual void publishes(std::string topic, std::vector<std::string> types) = 0;
    // A further condition of /readyz; called on the admin door's thread, must not block. The error's message is shown.
    virtual void ready_check(std::string name, std::function<core::Result<void>()> check) = 0;

    // The target; once per service. Without one, transient errors only delay the key.
    virtual void target(TargetSpec spec) = 0;
    virtual void holds_resolve_by(ResolvesHold resolves) = 0;
    // The service's own tables: SQL run once, in order, under an advisory lock; each must be repeatable.
    virtual void migration(std::string_view name, std::string_view sql) = 0;
    // Called on every drain after handlers ended and before the producer is flushed.
    virtual void on_stop(std::function<void()> stop) = 0;
    // A part with threads of its own (an HTTP door, say). start() is called once everything is wired and must return soon; it may
    // throw StartError (port in use). stop() is the first step of the drain: take nothing new, finish what is in hand by the
    // deadline.
    // With PostgreSQL in use it is started once the schema is there, else as soon as the admin port is open.
    virtual void runnable(std::string name, std::function<void()> start, std::function<void(core::Deadline)> stop) = 0;

    template <typename Event>
    void on(On<Event> on) {
        HandlerSpec spec;
        spec.type = Event::descriptor()->full_name();
        spec.topic = std::move(on.topic);
        spec.consumer_group = std::move(on.consumer_group);
        spec.family = on.family;
        spec.make = [] {
            return std::make_shared<Event>();
        };
        if (on.resource) {
            spec.resource = [f = std::move(on.resource)](const google::protobuf::MessageLite& m) {
                return f(static_cast<const Event&>(m));
            };
        }
        if (on.version) {
            spec.version = [f = std::move(on.version)](const google::protobuf::MessageLite& m) {
                return f(static_cast<const Event&>(m));
            };
        }
        spec.call = [f = std::move(on.handle)](const google::protobuf::MessageLite& m, Delivery& d) {
            return f(static_cast<const Event&>(m), d);
        };
        add_handler(std::move(spec));
    }

    // Handles a partition's batch in one transaction, see batch.h; batch_of() of batch_events.h makes one that reads messages.
    // Beside on() or without it, several times.
    void on_batch(BatchHandler handler) { add_batch_handler(std::move(handler)); }

    template <typename T, typename... Args>
    T& own(Args&&... args) {
        auto object = std::make_shared<T>(std::forward<Args>(args)...);
        keep(object);
        return *object;
    }

protected:
    virtual void read_config(ConfigSchema& schema) = 0;
    virtual void add_handler(HandlerSpec spec) = 0;
    virtual void add_batch_handler(BatchHandler handler) = 0;
    virtual void keep(std::shared_ptr<void> object) = 0;
};

// Runs a service; see the head of this file.
[[nodiscard]] int run(std::string_view name, int argc, char** argv, const std::function<void(Service&)>& wire);

}  // namespace syncline::kit
