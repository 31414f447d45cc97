// The Service that run() gives to `wire`: collects what the service is made of, and owns it. Internal to the runtime.
//
// Wiring never connects: whatever stands behind the references it hands out begins to work when Lifecycle starts it. Problems
// that do not keep `wire` from going on (a missing postgres.url, an unreadable shops file) are collected, so that all are
// reported at once.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/http/client.h>
#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <syncline/kit/admin.h>
#include <syncline/kit/config.h>
#include <syncline/kit/mappings.h>
#include <syncline/kit/processor.h>
#include <syncline/kit/service.h>
#include <syncline/kit/shops.h>
#include <syncline/postgres/migrations.h>
#include <syncline/postgres/pool.h>
#include <syncline/telemetry/metrics.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/runtime/common_config.h"
#include "src/runtime/file_watch.h"
#include "src/runtime/shared_clock.h"

namespace syncline::kit {

enum class Mode : std::uint8_t {
    serve,
    migrate,
    check,     // --check-config: files are read and judged, nothing is opened.
    describe,  // --describe, --help: no file is needed, required texts read as "<name>".
};

// What a test puts in the place of Kafka: nothing connects to a broker, and the tables lie in a schema of the test.
struct Surroundings {
    std::string schema;
    std::function<std::unique_ptr<RecordSource>(const std::string& group)> source;
    RecordSink* sink = nullptr;
    RecordReader* reader = nullptr;
    std::function<void(ProcessorOptions&)> adjust;  // The options of the processor; may be empty.
};

class ServiceCore final : public Service {
public:
    ServiceCore(std::string name, Mode mode, ConfigSource source, core::Clock& clock,
                std::optional<Surroundings> surroundings = std::nullopt);
    ~ServiceCore() override;

    // ---- Service
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] core::Clock& clock() override { return clock_; }
    [[nodiscard]] telemetry::Metrics& metrics() override { return metrics_; }
    [[nodiscard]] http::Client& http() override;
    [[nodiscard]] postgres::Pool& postgres() override;
    [[nodiscard]] kafka::Producer& producer() override;
    [[nodiscard]] kafka::Fetcher& fetcher() override;
    [[nodiscard]] AdminRouter& admin() override { return router_; }
    [[nodiscard]] Shops& shops() override;
    Mappings& mappings(const std::string& connection, Mappings::Parse parse) override;
    void watch_file(const std::string& key, const std::string& path,
                    std::function<core::Result<void>(const std::string& text, const std::string& folder)> load) override;
    [[nodiscard]] std::string topic_name(std::string_view topic) const override;
    void publishes(std::string topic, std::vector<std::string> types) override;
    void ready_check(std::string name, std::function<core::Result<void>()> check) override;
    void target(TargetSpec spec) override;
    void holds_resolve_by(ResolvesHold resolves) override;
    void migration(std::string_view name, std::string_view sql) override;
    void on_stop(std::function<void()> stop) override;
    void runnable(std::string name, std::function<void()> start, std::function<void(core::Deadline)> stop) override;

    // ---- run()
    // After `wire`: makes the processor if there are handlers, then throws StartError with everything found wrong.
    void finish_wiring();

    struct Runnable {
        std::string name;
        std::function<void()> start;
        std::function<void(core::Deadline)> stop;
    };
    struct Publication {
        std::string topic;
        std::vector<std::string> types;
    };
    struct Consumption {
        std::string topic;
        std::string type;
        std::string group;
        std::string_view shape;  // "snapshot" or "fact" by key, "batch".
    };
    struct ReadyCheck {
        std::string name;
        std::function<core::Result<void>()> check;
    };

    [[nodiscard]] Mode mode() const { return mode_; }
    [[nodiscard]] const CommonConfig& common() const { return common_; }
    // All keys: the kit's, then the service's.
    [[nodiscard]] const ConfigSchema& common_schema() const { return common_schema_; }
    [[nodiscard]] const std::vector<ConfigSchema::Entry>& own_entries() const { return own_entries_; }
    // The value in force of each key, for --check-config.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& shown_values() const { return shown_; }

    [[nodiscard]] bool uses_kafka() const {
        return producer_ != nullptr || fetcher_ != nullptr || !handlers_described_.empty() || !publications_.empty();
    }
    [[nodiscard]] bool uses_postgres() const { return pool_ != nullptr; }
    [[nodiscard]] bool uses_shops() const { return shops_ != nullptr; }
    [[nodiscard]] bool uses_http() const { return http_ != nullptr; }
    [[nodiscard]] postgres::Pool* pool() { return pool_.get(); }
    // What clock() is: run() lets it follow the database's.
    [[nodiscard]] SharedClock& shared_clock() { return clock_; }
    [[nodiscard]] kafka::Producer* producer_if_any() { return producer_.get(); }
    [[nodiscard]] Processor* processor() { return processor_.get(); }
    // Where the processor reads: the group of its handlers by key, or of the first batches.
    [[nodiscard]] std::vector<RecordSource*> sources() const;
    [[nodiscard]] FileWatch& files() { return files_; }
    [[nodiscard]] const std::vector<postgres::Migration>& migrations() const { return migrations_; }
    [[nodiscard]] const std::vector<Runnable>& runnables() const { return runnables_; }
    [[nodiscard]] const std::vector<std::function<void()>>& stops() const { return stops_; }
    [[nodiscard]] const std::vector<ReadyCheck>& ready_checks() const { return ready_checks_; }
    [[nodiscard]] const std::vector<Publication>& publications() const { return publications_; }
    [[nodiscard]] const std::vector<Consumption>& consumptions() const { return handlers_described_; }
    [[nodiscard]] const std::optional<std::string>& target_connection() const { return target_connection_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Mappings>>& all_mappings() const { return mappings_; }
    // Without prefix, sorted: every topic that must exist.
    [[nodiscard]] std::vector<std::string> topics() const;
    // "order_export": schema, metric prefix.
    [[nodiscard]] std::string id() const;
    // What holds the world outside: destroyed while the rest still lives. Order matters, see the .cpp.
    void release();

protected:
    void read_config(ConfigSchema& schema) override;
    void add_handler(HandlerSpec spec) override;
    void add_batch_handler(BatchHandler handler) override;
    void keep(std::shared_ptr<void> object) override;

private:
    void problem(std::string what, std::string cure, std::string key = {});
    void need_config();
    // For a client; a missing kafka.brokers becomes a problem and an address nobody listens at.
    [[nodiscard]] kafka::ClientOptions kafka_client();
    void make_processor();
    void check_secrets();
    void load_file(const std::string& path, const std::string& key, FileWatch::Load load);
    void declare_metrics();
    void add_status_routes();

    const std::string name_;
    const Mode mode_;
    ConfigSource source_;
    SharedClock clock_;
    const std::optional<Surroundings> surroundings_;
    telemetry::Metrics metrics_;
    AdminRouter router_;
    FileWatch files_;

    bool config_read_ = false;
    CommonConfig common_;
    ConfigSchema common_schema_;
    std::vector<ConfigSchema::Entry> own_entries_;
    std::vector<std::pair<std::string, std::string>> shown_;
    std::vector<std::pair<std::string, SecretFile>> secrets_;  // Key and file, as configured.
    std::vector<Problem> problems_;

    std::vector<HandlerSpec> handlers_;
    std::vector<BatchHandler> batches_;
    std::vector<Consumption> handlers_described_;
    std::vector<Publication> publications_;
    std::vector<ReadyCheck> ready_checks_;
    std::optional<TargetSpec> target_;
    std::optional<std::string> target_connection_;
    ResolvesHold resolves_hold_;
    std::vector<postgres::Migration> migrations_;
    std::vector<std::function<void()>> stops_;
    std::vector<Runnable> runnables_;

    std::unique_ptr<Shops> shops_;
    std::vector<std::unique_ptr<Mappings>> mappings_;
    std::unique_ptr<http::Client> http_;
    std::unique_ptr<postgres::Pool> pool_;
    std::unique_ptr<kafka::Producer> producer_;
    std::unique_ptr<kafka::Fetcher> fetcher_;
    struct Transport;
    std::unique_ptr<Transport> transport_;
    std::vector<std::shared_ptr<void>> owned_;
    std::unique_ptr<Processor> processor_;
};

}  // namespace syncline::kit
