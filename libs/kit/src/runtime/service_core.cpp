#include "src/runtime/service_core.h"

#include <fmt/format.h>
#include <syncline/core/time.h>
#include <syncline/json/writer.h>
#include <syncline/telemetry/log.h>
#include <syncline/topics.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "src/processing/kafka_transport.h"
#include "src/runtime/process_metrics.h"
#include "src/runtime/version.h"

namespace syncline::kit {
namespace {

namespace log = telemetry::log;

std::string client_id(const std::string& service) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return fmt::format("{}-{}", service, host.data());
}

}  // namespace

// What the processor reads from and writes to; outlives it.
struct ServiceCore::Transport {
    std::unique_ptr<RecordSource> source;                          // Null without handlers by key.
    std::map<std::string, std::unique_ptr<RecordSource>> batches;  // By consumer group.
    std::unique_ptr<RecordSink> sink;
    std::unique_ptr<RecordReader> reader;
};

ServiceCore::ServiceCore(std::string name, Mode mode, ConfigSource source, core::Clock& clock,
                         std::optional<Surroundings> surroundings)
    : name_(std::move(name)),
      mode_(mode),
      source_(std::move(source)),
      clock_(clock),
      surroundings_(std::move(surroundings)),
      metrics_(name_),
      files_(metrics_, clock_) {
    common_.declare(common_schema_);
}

ServiceCore::~ServiceCore() {
    release();
}

void ServiceCore::release() {
    // Nothing reloads into what goes away; the processor's threads end before what handlers use; owned objects may hold on to the
    // producer and the pool; the transport is the processor's.
    files_.stop();
    processor_.reset();
    while (!owned_.empty()) {
        owned_.pop_back();
    }
    runnables_.clear();
    transport_.reset();
    fetcher_.reset();
    producer_.reset();
    pool_.reset();
    http_.reset();
}

void ServiceCore::problem(std::string what, std::string cure, std::string key) {
    problems_.push_back({.what = std::move(what), .cure = std::move(cure), .key = std::move(key)});
}

void ServiceCore::read_config(ConfigSchema& schema) {
    if (config_read_) {
        throw StartError("the program reads its configuration twice or after it was needed",
                         "call service.config<…>() once, first thing in wire");
    }
    config_read_ = true;
    const std::vector<const ConfigSchema*> both{&common_schema_, &schema};
    auto problems = source_.apply(both);
    if (mode_ == Mode::describe) {
        // What is required and not given reads as its own name, so that groups and files come out as
        // order-export.<connection>.v1.
        for (const auto* declared : both) {
            for (const auto& entry : declared->entries()) {
                if (entry.options.required && entry.type == "string" && entry.shown().empty()) {
                    entry.fill("<" + entry.key.substr(entry.key.rfind('.') + 1) + ">");
                }
            }
        }
    } else if (!problems.empty()) {
        throw StartError(std::move(problems));
    }
    common_.processing.bytes_in_flight_max = static_cast<std::size_t>(common_.bytes_in_flight_max.value);
    own_entries_ = schema.entries();
    for (const auto* declared : both) {
        for (const auto& entry : declared->entries()) {
            shown_.emplace_back(entry.key, entry.key == "postgres.url" && !entry.shown().empty()
                                               ? mask_password(common_.postgres_url)
                                               : entry.shown());
            if (entry.secret && entry.secret().configured()) {
                secrets_.emplace_back(entry.key, entry.secret());
            }
        }
    }
    // The members these refer to belong to `wire` from here on.
    for (auto& entry : own_entries_) {
        entry.set = nullptr;
        entry.fill = nullptr;
        entry.shown = nullptr;
        entry.secret = nullptr;
    }
    if (const auto level = log::parse_level(common_.log_level); level && mode_ == Mode::serve) {
        log::set_level(*level);
    }
}

void ServiceCore::need_config() {
    if (!config_read_) {
        ConfigSchema none;
        read_config(none);
    }
}

http::Client& ServiceCore::http() {
    need_config();
    if (!http_) {
        http_ = http::make_client({.ca_file = common_.http_ca_file});
    }
    return *http_;
}

postgres::Pool& ServiceCore::postgres() {
    need_config();
    if (pool_) {
        return *pool_;
    }
    const auto url = common_.postgres_url_now();
    if (mode_ != Mode::describe) {
        if (url.empty() && !common_.postgres_url_file.configured()) {
            problem("key postgres.url is missing: this service keeps its state in PostgreSQL",
                    "set postgres.url or postgres.url_file (SYNCLINE_POSTGRES_URL in the environment)", "postgres.url");
        } else if (const auto readable = postgres::check_url(url); !url.empty() && !readable) {
            problem("postgres.url: " + readable.error().message, "write postgresql://user@host:port/database", "postgres.url");
        }
    }
    pool_ = std::make_unique<postgres::Pool>(postgres::PoolOptions{.url = url,
                                                                   .connections_max = common_.connections_max,
                                                                   .schema = surroundings_ ? surroundings_->schema : id(),
                                                                   .application_name = name_});
    return *pool_;
}

kafka::ClientOptions ServiceCore::kafka_client() {
    auto client = common_.kafka_client(client_id(name_));
    if (common_.brokers.empty()) {
        client.brokers = "127.0.0.1:9";
        const bool said = std::ranges::any_of(problems_, [](const Problem& one) { return one.key == "kafka.brokers"; });
        if (mode_ != Mode::describe && !said && !surroundings_) {
            problem("key kafka.brokers is missing: this service speaks to Kafka",
                    "set kafka.brokers (for example kafka-1:9092), SYNCLINE_KAFKA_BROKERS in the environment", "kafka.brokers");
        }
    }
    if (mode_ != Mode::serve) {
        client.on_log = nullptr;
    }
    return client;
}

kafka::Fetcher& ServiceCore::fetcher() {
    need_config();
    if (!fetcher_) {
        auto made = kafka::Fetcher::create(kafka_client());
        if (!made) {
            throw StartError(
                {Problem{.what = made.error().message, .cure = "mend the keys below kafka.", .key = "kafka.properties"}});
        }
        fetcher_ = std::move(*made);
    }
    return *fetcher_;
}

kafka::Producer& ServiceCore::producer() {
    need_config();
    if (producer_) {
        return *producer_;
    }
    kafka::ProducerOptions options{.client = kafka_client(),
                                   .queue_bytes_max = static_cast<std::int64_t>(common_.producer_queue.value),
                                   .linger = common_.producer_linger,
                                   .delivery_timeout = common_.producer_delivery_timeout};
    auto made = kafka::Producer::create(std::move(options));
    if (!made) {
        throw StartError(
            {Problem{.what = made.error().message, .cure = "mend the keys below kafka.", .key = "kafka.properties"}});
    }
    producer_ = std::move(*made);
    return *producer_;
}

void ServiceCore::load_file(const std::string& path, const std::string& key, FileWatch::Load load) {
    if (auto loaded = files_.add(path, std::move(load)); !loaded) {
        problems_.push_back(
            {.what = loaded.error().message,
             .cure = loaded.error().hint.empty() ? "mend or mount the file that " + key + " names" : loaded.error().hint,
             .file = path,
             .key = key});
    }
}

Shops& ServiceCore::shops() {
    need_config();
    if (shops_) {
        return *shops_;
    }
    shops_ = std::make_unique<Shops>();
    if (mode_ == Mode::describe) {
        return *shops_;
    }
    if (common_.shops_file.empty()) {
        problem("key shops_file is missing: this service needs to know its shops", "set shops_file to the path of shops.yaml",
                "shops_file");
        return *shops_;
    }
    load_file(common_.shops_file, "shops_file", [this, folder = folder_of(common_.shops_file)](const std::string& text) {
        return shops_->load(text, folder, clock_.now());
    });
    return *shops_;
}

Mappings& ServiceCore::mappings(const std::string& connection, Mappings::Parse parse) {
    need_config();
    auto& made = *mappings_.emplace_back(std::make_unique<Mappings>(connection, std::move(parse)));
    if (mode_ == Mode::describe) {
        return made;
    }
    if (common_.mappings_dir.empty()) {
        problem("key mappings_dir is missing: this service needs the mapping tables of its connection",
                "set mappings_dir to the folder that holds <connection>.yaml", "mappings_dir");
        return made;
    }
    load_file(common_.mappings_dir + "/" + connection + ".yaml", "mappings_dir",
              [this, &made](const std::string& text) { return made.load(text, clock_.now()); });
    return made;
}

void ServiceCore::watch_file(const std::string& key, const std::string& path,
                             std::function<core::Result<void>(const std::string& text, const std::string& folder)> load) {
    need_config();
    if (mode_ == Mode::describe || path.empty()) {
        return;
    }
    load_file(path, key,
              [load = std::move(load), folder = folder_of(path)](const std::string& text) { return load(text, folder); });
}

std::string ServiceCore::topic_name(std::string_view topic) const {
    return fmt::format("{}.{}", common_.topic_prefix, topic);
}

void ServiceCore::publishes(std::string topic, std::vector<std::string> types) {
    const auto* spec = topics::find(topic);
    if (spec == nullptr) {
        problem(fmt::format("the program publishes to {}, which proto/topics.yaml does not list", topic),
                "use a constant of syncline/topics.h");
    } else {
        for (const auto& type : types) {
            if (!spec->may_carry(type)) {
                problem(fmt::format("the program publishes {} to {}, which does not carry it", type, topic),
                        "list the type in proto/topics.yaml");
            }
        }
    }
    publications_.push_back({.topic = std::move(topic), .types = std::move(types)});
}

void ServiceCore::ready_check(std::string name, std::function<core::Result<void>()> check) {
    ready_checks_.push_back({.name = std::move(name), .check = std::move(check)});
}

void ServiceCore::target(TargetSpec spec) {
    if (target_) {
        throw StartError("the program declares two targets", "one deployment of a service has one target");
    }
    target_connection_ = spec.connection;
    target_ = std::move(spec);
}

void ServiceCore::holds_resolve_by(ResolvesHold resolves) {
    resolves_hold_ = std::move(resolves);
}

void ServiceCore::migration(std::string_view name, std::string_view sql) {
    static_cast<void>(postgres());
    migrations_.push_back({.name = std::string(name), .sql = std::string(sql)});
}

void ServiceCore::on_stop(std::function<void()> stop) {
    stops_.push_back(std::move(stop));
}

void ServiceCore::runnable(std::string name, std::function<void()> start, std::function<void(core::Deadline)> stop) {
    runnables_.push_back({.name = std::move(name), .start = std::move(start), .stop = std::move(stop)});
}

void ServiceCore::add_handler(HandlerSpec spec) {
    const auto* topic = topics::find(spec.topic);
    if (topic == nullptr || !topic->may_carry(spec.type)) {
        problem(fmt::format("the program handles {} of {}, which does not carry it", spec.type, spec.topic),
                "list the type in proto/topics.yaml");
    }
    handlers_described_.push_back({.topic = spec.topic,
                                   .type = spec.type,
                                   .group = spec.consumer_group,
                                   .shape = spec.family == Family::snapshot ? "snapshot" : "fact"});
    handlers_.push_back(std::move(spec));
}

void ServiceCore::add_batch_handler(BatchHandler handler) {
    const auto* topic = topics::find(handler.topic);
    for (const auto& type : handler.types) {
        if (topic == nullptr || !topic->may_carry(type)) {
            problem(fmt::format("the program handles {} of {} in batches, which does not carry it", type, handler.topic),
                    "list the type in proto/topics.yaml");
        }
        handlers_described_.push_back({.topic = handler.topic, .type = type, .group = handler.consumer_group, .shape = "batch"});
    }
    batches_.push_back(std::move(handler));
}

std::vector<RecordSource*> ServiceCore::sources() const {
    std::vector<RecordSource*> sources;
    if (transport_ && transport_->source) {
        sources.push_back(transport_->source.get());
    }
    if (transport_) {
        for (const auto& [group, source] : transport_->batches) {
            sources.push_back(source.get());
        }
    }
    return sources;
}

void ServiceCore::keep(std::shared_ptr<void> object) {
    owned_.push_back(std::move(object));
}

std::vector<std::string> ServiceCore::topics() const {
    std::set<std::string> names;
    for (const auto& handler : handlers_described_) {
        names.insert(handler.topic);
    }
    for (const auto& publication : publications_) {
        names.insert(publication.topic);
    }
    if (!handlers_described_.empty()) {
        names.insert(topics::dead_letters);
        names.insert(topics::dead_letter_actions);
    }
    return {names.begin(), names.end()};
}

std::string ServiceCore::id() const {
    std::string id = name_;
    std::ranges::replace(id, '-', '_');
    return id;
}

void ServiceCore::make_processor() {
    if (handlers_.empty() && batches_.empty()) {
        return;
    }
    static_cast<void>(postgres());
    std::vector<postgres::Migration> first;
    for (const auto& migration : Processor::migrations()) {
        first.push_back({.name = std::string(migration.name), .sql = std::string(migration.sql)});
    }
    migrations_.insert(migrations_.begin(), first.begin(), first.end());

    transport_ = std::make_unique<Transport>();
    if (!surroundings_) {
        static_cast<void>(producer());
        transport_->sink = make_kafka_sink(*producer_, common_.topic_prefix);
        transport_->reader = make_kafka_reader(kafka_client(), common_.topic_prefix);
    } else if (surroundings_->adjust) {
        surroundings_->adjust(common_.processing);
    }
    const auto source_of = [this](const std::string& group) {
        return surroundings_
                   ? surroundings_->source(group)
                   : make_kafka_source({.client = kafka_client(), .group = group, .prefix = common_.topic_prefix}, clock_);
    };
    ProcessorPorts ports{.clock = clock_,
                         .metrics = metrics_,
                         .pool = *pool_,
                         .sink = surroundings_ ? *surroundings_->sink : *transport_->sink,
                         .reader = surroundings_ ? *surroundings_->reader : *transport_->reader};
    if (!handlers_.empty()) {
        transport_->source = source_of(handlers_.front().consumer_group);
        ports.source = transport_->source.get();
    }
    for (const auto& batch : batches_) {
        auto& source = transport_->batches[batch.consumer_group];
        if (!source) {
            source = source_of(batch.consumer_group);
            ports.batch_sources[batch.consumer_group] = source.get();
        }
    }
    common_.processing.service = name_;
    auto made = Processor::make(std::move(handlers_), std::move(target_), std::move(resolves_hold_), common_.processing, ports,
                                std::move(batches_));
    if (!made) {
        throw StartError(made.error());
    }
    processor_ = std::move(*made);
    processor_->add_admin_routes(router_);
    for (const auto& mappings : mappings_) {
        mappings->on_change([this](const MappingSnapshot& snapshot) { processor_->mappings_changed(snapshot.version); });
    }
}

void ServiceCore::check_secrets() {
    for (const auto& [key, secret] : secrets_) {
        if (const auto readable = secret.check(); !readable) {
            problems_.push_back({.what = fmt::format("{}: {}", key, readable.error().message),
                                 .cure = readable.error().hint,
                                 .file = secret.path(),
                                 .key = key});
        }
    }
    if (!shops_) {
        return;
    }
    const auto snapshot = shops_->current();
    for (const auto& [name, app] : snapshot->apps) {
        const bool used = std::ranges::any_of(snapshot->by_alias,
                                              [&](const auto& shop) { return shop.second.enabled && shop.second.app == name; });
        const bool readable =
            std::ranges::any_of(app.secrets, [](const SecretFile& secret) { return secret.check().has_value(); });
        if (used && !readable) {
            problems_.push_back(
                {.what = fmt::format("app {} has no readable secret: {}", name, app.secrets.front().check().error().message),
                 .cure = "mount the client secret of this Shopify app at one of its secret_files",
                 .file = common_.shops_file,
                 .key = "shops_file"});
        }
    }
}

void ServiceCore::declare_metrics() {
    declare_process_metrics(metrics_, version(), clock_.now());
    if (producer_) {
        const auto read = [this](auto figure) {
            return [this, figure] {
                return producer_ ? std::vector{telemetry::Sample{{}, static_cast<double>(figure(producer_->stats()))}}
                                 : std::vector<telemetry::Sample>{};
            };
        };
        using Stats = kafka::ProducerStats;
        metrics_.gauge("syncline_producer_queued_records", "Records accepted and not yet acknowledged by brokers.", {},
                       read([](const Stats& stats) { return stats.queued_records; }));
        metrics_.gauge("syncline_producer_queued_bytes", "Bytes accepted and not yet acknowledged by brokers.", {},
                       read([](const Stats& stats) { return stats.queued_bytes; }));
        metrics_.counter("syncline_producer_delivered_total", "Records acknowledged by brokers.", {},
                         read([](const Stats& stats) { return stats.delivered_total; }));
        metrics_.counter("syncline_producer_failed_total", "Records that were given up.", {},
                         read([](const Stats& stats) { return stats.failed_total; }));
        metrics_.counter("syncline_producer_rebuilt_total", "Producers rebuilt after a fatal error.", {},
                         read([](const Stats& stats) { return stats.rebuilt_total; }));
        metrics_.counter("syncline_producer_wire_bytes_total", "Bytes sent to brokers, compressed.", {},
                         read([](const Stats& stats) { return stats.wire_bytes_total; }));
        metrics_.counter("syncline_producer_compression_refused_total", "Times a broker refused compression.", {},
                         read([](const Stats& stats) { return stats.compression_refused_total; }));
        metrics_.gauge("syncline_producer_brokers_up", "Brokers the producer is connected to.", {},
                       read([](const Stats& stats) { return stats.brokers_up; }));
    }
    if (pool_) {
        metrics_.gauge("syncline_postgres_clock_ahead_seconds",
                       "How far PostgreSQL's clock, which the service goes by, is ahead of this machine's.",
                       [this] { return std::chrono::duration<double>(clock_.ahead()).count(); });
        metrics_.gauge("syncline_postgres_connections", "Connections of the pool by state; waiting counts threads without one.",
                       {"state"}, [this] {
                           if (!pool_) {
                               return std::vector<telemetry::Sample>{};
                           }
                           const auto stats = pool_->stats();
                           return std::vector<telemetry::Sample>{{{"open"}, static_cast<double>(stats.open)},
                                                                 {{"in_use"}, static_cast<double>(stats.in_use)},
                                                                 {{"waiting"}, static_cast<double>(stats.waiting)}};
                       });
        metrics_.counter("syncline_postgres_connections_discarded_total",
                         "Connections thrown away because something broke on them.", {}, [this] {
                             return pool_
                                        ? std::vector{telemetry::Sample{{}, static_cast<double>(pool_->stats().discarded_total)}}
                                        : std::vector<telemetry::Sample>{};
                         });
    }
    if (shops_) {
        metrics_.gauge("syncline_shops", "Shops of shops.yaml that are enabled.", [this] {
            const auto snapshot = shops_->current();
            return static_cast<double>(
                std::ranges::count_if(snapshot->by_alias, [](const auto& shop) { return shop.second.enabled; }));
        });
    }
}

void ServiceCore::add_status_routes() {
    router_.route("GET", "/admin/shops", "The shops in force and whether the secrets of their apps can be read.",
                  [this](const AdminRequest&) {
                      json::Writer out;
                      out.begin_object().key("shops").begin_array();
                      if (shops_) {
                          const auto snapshot = shops_->current();
                          for (const auto& [alias, shop] : snapshot->by_alias) {
                              const auto* app = snapshot->app_of(shop);
                              const auto readable = std::ranges::count_if(
                                  app->secrets, [](const SecretFile& secret) { return secret.check().has_value(); });
                              out.begin_object().member("alias", alias).member("domain", shop.domain).member("app", shop.app);
                              out.member("enabled", shop.enabled).member("secrets", std::uint64_t{app->secrets.size()});
                              out.member("secrets_readable", std::int64_t{readable}).end_object();
                          }
                      }
                      out.end_array().end_object();
                      return AdminReply::json(std::move(out).take());
                  });
    router_.route("GET", "/admin/mappings", "The mapping versions in force.", [this](const AdminRequest&) {
        json::Writer out;
        out.begin_object().key("mappings").begin_array();
        for (const auto& mappings : mappings_) {
            const auto snapshot = mappings->snapshot();
            out.begin_object().member("connection", mappings->connection()).member("version", snapshot->version);
            out.member("loaded_at", core::format_rfc3339_utc(snapshot->first_seen)).end_object();
        }
        out.end_array().end_object();
        return AdminReply::json(std::move(out).take());
    });
}

void ServiceCore::finish_wiring() {
    need_config();
    make_processor();
    if (uses_kafka() && !surroundings_) {
        static_cast<void>(producer());
    }
    declare_metrics();
    add_status_routes();
    if (mode_ == Mode::describe) {
        return;
    }
    check_secrets();
    if (!problems_.empty()) {
        throw StartError(std::move(problems_));
    }
}

}  // namespace syncline::kit
