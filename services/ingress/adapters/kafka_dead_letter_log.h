// The dead-letters topic, as far as ingress wrote it, and the record of what operators did.
#pragma once

#include <syncline/kafka/fetcher.h>
#include <syncline/kafka/producer.h>
#include <string>
#include <utility>

#include "app/ports.h"

namespace ingress {

// Any thread; reads are served one after another. Fetcher and producer must outlive it.
class KafkaDeadLetterLog final : public DeadLetterLog {
public:
    // `prefix` is that of the installation with its dot, "syncline.".
    KafkaDeadLetterLog(syncline::kafka::Fetcher& fetcher, syncline::kafka::Producer& producer, std::string prefix)
        : fetcher_(fetcher), producer_(producer), prefix_(std::move(prefix)) {}

    [[nodiscard]] syncline::core::Result<DeadWebhook> read(RecordPlace at, const syncline::core::Deadline& deadline) override;
    [[nodiscard]] syncline::core::Result<std::vector<DeadWebhook>> list(int records_max,
                                                                        const syncline::core::Deadline& deadline) override;
    [[nodiscard]] syncline::core::Result<std::vector<DeadWebhookAction>> actions(
        int records_max, const syncline::core::Deadline& deadline) override;
    [[nodiscard]] syncline::core::Result<void> record(const DeadWebhookAction& action, std::string_view key,
                                                      const syncline::core::Deadline& deadline) override;

private:
    syncline::kafka::Fetcher& fetcher_;
    syncline::kafka::Producer& producer_;
    const std::string prefix_;
};

}  // namespace ingress
