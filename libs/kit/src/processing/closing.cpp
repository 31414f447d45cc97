#include "src/processing/closing.h"

#include <syncline/core/fault.h>
#include <syncline/telemetry/log.h>
#include <algorithm>
#include <numeric>

#include "src/processing/doubt.h"

namespace syncline::kit {
namespace {

constexpr std::string_view kAgain = "closing_again";

}  // namespace

ClosingDesk::ClosingDesk(Database& database, store::Identity who, core::Clock& clock, std::chrono::milliseconds linger)
    : database_(database),
      who_(std::move(who)),
      clock_(clock),
      gather_(std::make_unique<core::Gather<ClosingRequest, Answer>>(
          core::GatherOptions{.batch_max = 100, .linger = linger, .flushers = 2},
          [this](std::vector<ClosingRequest>&& requests) { return flush(requests); })) {}

ClosingDesk::Answer ClosingDesk::settle(ClosingRequest request) {
    return gather_->submit(std::move(request));
}

std::vector<ClosingDesk::Answer> ClosingDesk::flush(const std::vector<ClosingRequest>& requests) {
    std::vector<Answer> answers(requests.size(), Answer(store::ClosingAnswer{}));
    std::vector<std::size_t> indexes(requests.size());
    std::iota(indexes.begin(), indexes.end(), 0);
    write(requests, std::move(indexes), answers);
    return answers;
}

void ClosingDesk::write(const std::vector<ClosingRequest>& requests, std::vector<std::size_t> indexes,
                        std::vector<Answer>& answers) {
    while (!indexes.empty()) {
        std::vector<const store::Closing*> closings;
        for (const auto i : indexes) {
            closings.push_back(&requests[i].closing);
        }
        // The batch is given up only when nobody in it waits any more.
        const auto give_up = [&] {
            return std::ranges::all_of(indexes, [&](auto i) { return requests[i].home->abandoned.load(); });
        };
        auto written = database_.persist(give_up, false, [&] { return write_once(closings); });
        if (!written) {
            if (indexes.size() > 1 && !database_is_away(written.error())) {
                telemetry::log::failure(telemetry::log::Level::warn, "closing_batch_refused", written.error(),
                                        {{"events", indexes.size()}});
                for (const auto i : indexes) {
                    write(requests, {i}, answers);
                }
                return;
            }
            for (const auto i : indexes) {
                answers[i] = std::unexpected(written.error());
            }
            return;
        }
        std::vector<std::size_t> rest;
        for (std::size_t n = 0; n < indexes.size(); ++n) {
            answers[indexes[n]] = written->answers[n];
            if (written->again && written->answers[n].verdict == store::Verdict::closed) {
                rest.push_back(indexes[n]);
            }
        }
        indexes = std::move(rest);
    }
}

core::Result<store::ClosingBatchAnswer> ClosingDesk::write_once(const std::vector<const store::Closing*>& closings) {
    store::TransactionId id;
    store::ClosingBatchAnswer answer;
    const auto settled = database_.pool().run(database_.deadline(), [&](postgres::Transaction& tx) -> core::Result<void> {
        auto batch = store::write_closings(tx, who_, clock_.now(), closings, id);
        if (!batch) {
            return std::unexpected(std::move(batch.error()));
        }
        answer = std::move(*batch);
        if (answer.again) {
            return core::fail(core::ErrorKind::conflict, std::string(kAgain), "written again without some");
        }
        SYNCLINE_FAULT_POINT("commit_sent");
        return {};
    });
    if (settled || settled.error().code == kAgain) {
        SYNCLINE_FAULT_POINT("commit_sent");
        return answer;
    }
    if (settled.error().code != "commit_in_doubt" || id.text.empty()) {
        return std::unexpected(settled.error());
    }
    const auto committed = committed_after_all(database_, id, closings.size());
    if (!committed) {
        return std::unexpected(committed.error());
    }
    if (*committed) {
        return answer;
    }
    return std::unexpected(commit_lost());
}

}  // namespace syncline::kit
