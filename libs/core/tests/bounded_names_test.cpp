#include "syncline/core/bounded_names.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <vector>

using syncline::core::BoundedNames;

TEST_CASE("bounded names: long, empty and strange names are other", "[core][unit]") {
    BoundedNames names(10, 8);
    CHECK(names.keep("") == "other");
    CHECK(names.keep("123456789") == "other");
    CHECK(names.keep("a b") == "other");
    CHECK(names.keep("a\nb") == "other");
    CHECK(names.keep("a\"b") == "other");
    CHECK(names.names().empty());
}

TEST_CASE("bounded names: the first names are kept, further ones are other, also with many threads", "[core][unit]") {
    BoundedNames names(50);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 1000; ++i) {
                static_cast<void>(names.keep("name_" + std::to_string((i * 7 + t) % 200)));
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const auto kept = names.names();
    CHECK(kept.size() == 50);
    CHECK(names.keep("never_seen") == "other");
    CHECK(names.keep(kept.front()) == kept.front());
}
