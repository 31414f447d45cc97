#include "syncline/core/gather.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using syncline::core::Gather;

namespace {

std::vector<int> doubled(std::vector<int>&& requests) {
    for (auto& request : requests) {
        request *= 2;
    }
    return std::move(requests);
}

}  // namespace

TEST_CASE("gather: every caller gets its own answer and no batch is larger than asked for", "[core][unit]") {
    std::atomic<std::size_t> largest{0};
    std::atomic<int> wrong{0};
    {
        Gather<int, int> gather({.batch_max = 7, .linger = 1ms, .flushers = 2}, [&](std::vector<int>&& requests) {
            std::size_t seen = largest;
            while (requests.size() > seen && !largest.compare_exchange_weak(seen, requests.size())) {
            }
            return doubled(std::move(requests));
        });
        std::vector<std::jthread> threads;
        for (int t = 0; t < 16; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 200; ++i) {
                    const int request = t * 1000 + i;
                    wrong += gather.submit(request) == request * 2 ? 0 : 1;
                }
            });
        }
    }
    CHECK(wrong == 0);
    CHECK(largest <= 7);
    CHECK(largest > 1);
}

TEST_CASE("gather: a full batch leaves at once, long before its linger", "[core][unit]") {
    std::atomic<int> flushes{0};
    Gather<int, int> gather({.batch_max = 10, .linger = 1h, .flushers = 2}, [&](std::vector<int>&& requests) {
        ++flushes;
        return doubled(std::move(requests));
    });
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 30; ++i) {
            threads.emplace_back([&] { static_cast<void>(gather.submit(2)); });
        }
    }
    CHECK(flushes == 3);
}

TEST_CASE("gather: requests of two lanes never share a batch", "[core][unit]") {
    std::atomic<int> mixed{0};
    {
        Gather<int, int> gather({.batch_max = 50, .linger = 2ms, .flushers = 2}, [&](std::vector<int>&& requests) {
            mixed += std::set<int>(requests.begin(), requests.end()).size() > 1 ? 1 : 0;
            return std::move(requests);
        });
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 50; ++i) {
                    static_cast<void>(gather.submit(t % 2, t % 2 == 0 ? "company 1" : "company 2"));
                }
            });
        }
    }
    CHECK(mixed == 0);
}

TEST_CASE("gather: a lone request leaves after the linger without company", "[core][unit]") {
    Gather<int, int> gather({.batch_max = 50, .linger = 5ms, .flushers = 1}, doubled);
    CHECK(gather.submit(21) == 42);
}
