// All webhooks of a run, in the order in which they are sent, made as they are asked for: memory holds only the orders that are
// under way. The same options give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/curve.h"
#include "src/story.h"

namespace loadgen {

struct WorkloadOptions {
    std::uint64_t seed = 1;
    std::uint64_t orders = 1000;    // Over all shops; shop n gets every n-th.
    std::uint64_t first_order = 0;  // Number of each shop's first order: runs with different ranges share no ids.
    std::vector<Shop> shops;
    Shares shares = Shares::everything();
    Mix mix = Mix::real;
    Shape shape = Shape::constant;
    std::chrono::milliseconds duration{60'000};  // From the first order to the last.
    std::chrono::milliseconds step{400};
    std::uint64_t customers = 0;  // Of each shop; 0: a fifth of its orders, at least 20.
    SystemTime start{
        std::chrono::seconds{1'764'288'000}};  // 2025-11-28, a Friday. Never in the future: ingress trusts no such time.
    // Of a million webhooks: sent again (same ids and bytes) a little later; held back so that later ones overtake them.
    std::uint64_t duplicates_per_million = 0;
    std::uint64_t reordered_per_million = 0;
    std::chrono::milliseconds delay_max{5'000};  // Of both.
    std::uint64_t poison = 0;                    // Well signed bodies that are no orders, spread over the run.
};

class Workload {
public:
    explicit Workload(WorkloadOptions options);
    Workload(const Workload&) = delete;
    Workload& operator=(const Workload&) = delete;
    ~Workload();

    // The next delivery; nullopt at the end.
    [[nodiscard]] std::optional<Webhook> next();

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The story of one order of the run, 0 … orders-1.
[[nodiscard]] Story story_of(const WorkloadOptions& options, std::uint64_t order);
// Number `order` of the run's poison, 0 … poison-1.
[[nodiscard]] Webhook poison_of(const WorkloadOptions& options, std::uint64_t number);

// Lines of JSON: one for each order, and at the end {"summary": …} with the counts by fate, reason, state and topic.
void write_expectations(const WorkloadOptions& options, const std::function<void(const std::string& line)>& write);

}  // namespace loadgen
